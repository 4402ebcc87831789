/* On every page of the shop in a demo: the drawer, or, in a frame of the lab, what does as the lab says. */
import { drive } from "./driver.js";
import { openDrawer } from "./drawer.js";

const about = JSON.parse(document.getElementById("qa-about").textContent);
if (window.parent !== window) drive(about.lab);
else if (!document.documentElement.hasAttribute("data-plain")) openDrawer(about);
