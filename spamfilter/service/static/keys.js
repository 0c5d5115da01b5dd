// Keys for the queue. Every one of them presses a button or follows a link that is on the page.
"use strict";
const PRESSES = { a: "approve", s: "spam", u: "undo", j: "next", k: "previous", c: "campaign-spam" };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    const search = document.getElementById("search");
    if (!search) return;
    const fold = search.closest("details");
    if (fold) fold.open = true;
    search.focus();
    event.preventDefault();
    return;
  }
  const wanted = document.getElementById(PRESSES[event.key] || "");
  if (wanted) {
    event.preventDefault();
    wanted.click();
  }
});
// A form is sent once, however fast the key is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
// The comment that is shown is seen in the list too, where the list scrolls by itself; the page stays where it is.
const list = document.querySelector(".list");
const current = list && list.querySelector('[aria-current="true"]');
if (current && list.scrollHeight > list.clientHeight) list.scrollTop = current.offsetTop - list.clientHeight / 3;
