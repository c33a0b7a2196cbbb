// The question an app asks before it lets a button act.

import { h } from "/page/dom.js";
import { plain } from "/page/entities.js";
import { mrkdwn } from "/page/mrkdwn.js";
import { t } from "/page/words.js";

/** Ask; gives whether the person agreed. Escape means no. */
export function confirmed(confirm) {
  return new Promise((resolve) => {
    const say = (text, fallback) => plain(text?.text ?? fallback);
    const body = confirm.text.type === "mrkdwn" ? mrkdwn(confirm.text.text) : plain(confirm.text.text);
    const dialog = h("dialog", { class: "dialog small", "aria-labelledby": "confirm-title" },
      h("h2", { id: "confirm-title" }, say(confirm.title, t`Are you sure?`)),
      h("div", { class: "dialog-body" }, h("div", { class: "text" }, body)),
      h("div", { class: "dialog-foot" },
        h("button", { type: "button", class: "button", onclick: () => dialog.close("no") }, say(confirm.deny, t`Cancel`)),
        h("button", { type: "button", class: `button ${confirm.style === "danger" ? "danger" : "primary"}`, autofocus: true, onclick: () => dialog.close("yes") },
          say(confirm.confirm, t`Yes`))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
