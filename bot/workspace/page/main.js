// The page: everything is drawn from what the workspace says and from the address.

import { follow, store } from "/page/live.js";
import { drawModal } from "/page/modal.js";
import { closeThread, drawPlace, drawThread, followAnswer } from "/page/place.js";
import { here } from "/page/route.js";
import { closeSidebar, drawSidebar } from "/page/sidebar.js";
import { language } from "/page/words.js";

// While somebody holds a button down, nothing is drawn: what they press would be replaced beneath
// the pointer, and the browser would take it for no click at all.
let isPressing = false;
let isLate = false;

function draw() {
  if (!store.rest) return;
  isLate = isPressing;
  if (isPressing) return;
  document.documentElement.lang = language();
  drawPlace();
  drawThread();
  drawSidebar();
  drawModal();
}

follow(() => {
  followAnswer();
  draw();
});

addEventListener("hashchange", draw);

addEventListener("pointerdown", () => (isPressing = true), true);

function release() {
  isPressing = false;
  if (isLate) setTimeout(draw); // after the click, which comes behind this
}

for (const end of ["pointerup", "pointercancel"]) addEventListener(end, release, true);
// Who lets go outside the window is noticed when they are back.
addEventListener("pointermove", (event) => isPressing && !event.buttons && release(), true);

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], .menu")) return;
  if (document.getElementById("layout").classList.contains("menu-open")) closeSidebar();
  else if (here().thread) closeThread();
});

// A click beside the drawer closes it.
document.getElementById("place").addEventListener("pointerdown", closeSidebar);
