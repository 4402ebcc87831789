import { analytics } from "./analytics.js";

analytics.page();

document.querySelector("#order").addEventListener("click", () => analytics.track("Ordered", { fruit: "satsuma" }));

const user = await analytics.user();
document.querySelector("#visitor").textContent = user.anonymousId();
