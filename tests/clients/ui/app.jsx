// An application of others that shows the kit's views, each at its path: /auth/sign-up, /account/security, …
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { createAuthClient } from "better-auth/react";
import { organizationClient } from "better-auth/client/plugins";
import { apiKeyClient } from "@better-auth/api-key/client";
import { AccountView, AuthUIProvider, AuthView, OrganizationView } from "@daveyplate/better-auth-ui";

const baseURL = new URLSearchParams(location.search).get("at");
const authClient = createAuthClient({ baseURL, plugins: [organizationClient(), apiKeyClient()] });
const [, group, path] = location.pathname.split("/");
const view = { account: AccountView, organization: OrganizationView }[group] ?? AuthView;
const navigate = (href) => { location.href = `${href}${location.search}`; };
const moving = { navigate, replace: navigate, redirectTo: "/account/settings" };
const settings = { authClient, ...moving, apiKey: true, organization: { apiKey: true } };
createRoot(document.getElementById("root")).render(
  createElement(AuthUIProvider, settings, createElement(view, { pathname: location.pathname, path })),
);
