// The page: everything is drawn from what the workspace says and from the address.

import { follow, store } from "/page/live.js";
import { drawModal } from "/page/modal.js";
import { closeThread, drawPlace, drawThread, followAnswer } from "/page/place.js";
import { here } from "/page/route.js";
import { closeSidebar, drawSidebar } from "/page/sidebar.js";
import { language } from "/page/words.js";

function draw() {
  if (!store.rest) return;
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

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], .menu")) return;
  if (document.getElementById("layout").classList.contains("menu-open")) closeSidebar();
  else if (here().thread) closeThread();
});

// A click beside the drawer closes it.
document.getElementById("place").addEventListener("pointerdown", closeSidebar);
