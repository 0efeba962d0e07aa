// An application of others that shows the kit's views, each at its path: /auth/sign-up, /account/security, …
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { createAuthClient } from "better-auth/react";
import { organizationClient } from "better-auth/client/plugins";
import { AccountView, AuthUIProvider, AuthView, OrganizationView } from "@daveyplate/better-auth-ui";

const authClient = createAuthClient({ baseURL: new URLSearchParams(location.search).get("at"), plugins: [organizationClient()] });
const [, group, path] = location.pathname.split("/");
const view = { account: AccountView, organization: OrganizationView }[group] ?? AuthView;
const navigate = (href) => { location.href = `${href}${location.search}`; };
const settings = { authClient, navigate, replace: navigate, redirectTo: "/account/settings", organization: true };
createRoot(document.getElementById("root")).render(
  createElement(AuthUIProvider, settings, createElement(view, { pathname: location.pathname, path })),
);
