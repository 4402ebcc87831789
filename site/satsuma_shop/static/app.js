/* An app of screens: nothing is loaded anew, and each screen is told to analytics. */
const buttons = [...document.querySelectorAll("[data-screen]")];

function open(name) {
  for (const button of buttons) {
    const chosen = button.dataset.screen === name;
    document.getElementById(button.dataset.screen).hidden = !chosen;
    if (chosen) button.setAttribute("aria-current", "page");
    else button.removeAttribute("aria-current");
  }
  analytics.screen(name);
}
for (const button of buttons) button.addEventListener("click", () => open(button.dataset.screen));
open("Home");

document.getElementById("app-login")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
  const { userId, traits, error } = await answer.json();
  const told = document.getElementById("app-told");
  told.textContent = error || `Known here as ${userId}.`;
  if (error) return;
  document.querySelector("#Me h1").textContent = `Hello, ${traits.name}`;
  form.hidden = true;
  analytics.identify(userId, traits);
  analytics.track("Signed In");
});
