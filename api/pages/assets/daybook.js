"use strict";
// Everything here is a convenience: each page works whole without it.

const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const brief = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

function told(at) {
  const seconds = (at.getTime() - Date.now()) / 1_000;
  if (Math.abs(seconds) >= 7 * 86_400) return brief.format(at);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return relative.format(Math.trunc(Math.abs(seconds) < 60 ? Math.round(seconds / 10) * 10 : seconds / length), unit);
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.textContent = "exact" in time.dataset ? brief.format(at) : told(at);
    time.title = exact.format(at);
  }
}

tellTimes();
setInterval(tellTimes, 30_000);

// days that nobody has chosen yet are meant as they are where the reader is
for (const field of document.querySelectorAll("[data-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  if (field.value) document.getElementById(field.dataset.zone).textContent = field.value;
}

for (const button of document.querySelectorAll("[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    const said = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = said; }, 2_000);
  });
}

// milliseconds in which a form that was sent is not sent again; who presses Stop gets no event that says so
const SENT_FOR = 5_000;

function canBeSent(form) {
  delete form.dataset.sent;
  form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
}

for (const form of document.querySelectorAll("form")) {
  let waiting;
  for (const entered of ["input", "change"]) form.addEventListener(entered, () => canBeSent(form));
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    const about = document.getElementById(button?.getAttribute("aria-describedby")?.split(" ")[0])?.innerText;
    const question = button?.dataset.asks && [button.dataset.asks, about].filter(Boolean).join("\n");
    if (form.dataset.sent || (question && !confirm(question))) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") {
      form.dataset.sent = "yes";
      button?.setAttribute("aria-busy", "true");
      clearTimeout(waiting);
      waiting = setTimeout(() => canBeSent(form), SENT_FOR);
    }
  });
}
// a page that comes back from the history can be sent again
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) canBeSent(form);
});

for (const field of document.querySelectorAll("[data-strength]")) {
  const advice = document.getElementById(field.dataset.strength);
  let asking;
  field.addEventListener("input", () => {
    clearTimeout(asking);
    asking = setTimeout(async () => {
      const asked = field.value;
      const form = field.form.elements;
      const about = { password: asked, email: form.email?.value ?? "", name: form.name?.value ?? "" };
      const answer = asked && await fetch("/password-strength", { method: "POST", body: new URLSearchParams(about) });
      if (answer && answer.ok && asked === field.value) advice.textContent = await answer.text();
      advice.hidden = !advice.textContent || !field.value;
    }, 500);
  });
}

for (const button of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
}
