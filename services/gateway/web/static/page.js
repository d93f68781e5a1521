"use strict";
// Uploads with progress, one after another. Everything else on the page is htmx and links.
(() => {
  const form = document.getElementById("upload");
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const list = document.getElementById("uploads");
  let queue = Promise.resolve();

  const localTimes = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const moment = new Date(time.dateTime);
      if (!Number.isNaN(moment.getTime())) {
        time.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
      }
    }
  };

  const row = (name) => {
    const item = document.createElement("li");
    const label = document.createElement("span");
    const bar = document.createElement("progress");
    const state = document.createElement("span");
    label.className = "name";
    label.dir = "auto";
    label.textContent = name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Uploading ${name}`);
    state.className = "state";
    state.textContent = "waiting";
    item.append(label, state, bar);
    list.append(item);
    return { item, bar, state };
  };

  const refuse = (shown, message) => {
    shown.bar.remove();
    shown.item.classList.add("bad");
    shown.state.textContent = message;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "quiet";
    close.textContent = "Dismiss";
    close.addEventListener("click", () => shown.item.remove());
    shown.item.append(close);
  };

  const detail = (request, otherwise = "The upload was refused.") => {
    try {
      return JSON.parse(request.responseText).detail || otherwise;
    } catch {
      return otherwise;
    }
  };

  const send = (file, fields, shown) =>
    new Promise((resolve) => {
      const body = new FormData();
      for (const [name, value] of fields) body.append(name, value);
      body.append("file", file, file.name);
      const request = new XMLHttpRequest();
      request.open("POST", "/v1/jobs");
      request.setRequestHeader("X-CSRF-Token", token);
      request.setRequestHeader("Idempotency-Key", Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join(""));
      request.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        shown.bar.value = event.loaded / event.total;
        shown.state.textContent = event.loaded < event.total ? `${Math.floor((100 * event.loaded) / event.total)} %` : "storing";
      });
      request.addEventListener("load", () => {
        if (request.status === 202) {
          shown.item.remove();
          const id = JSON.parse(request.responseText).job_id;
          htmx.ajax("GET", `/ui/jobs/${id}`, { target: "#jobs", swap: "afterbegin" });
        } else if (request.status === 401) {
          location.assign("/");
        } else {
          refuse(shown, detail(request));
        }
        resolve();
      });
      request.addEventListener("error", () => {
        refuse(shown, "The connection broke. Try again.");
        resolve();
      });
      request.send(body);
    });

  const take = (files) => {
    const fields = [["paper", form.elements.paper.value]];
    for (const file of files) {
      const shown = row(file.name);
      if (file.size > Number(form.dataset.maxBytes)) refuse(shown, "This file is larger than the limit.");
      else if (file.size === 0) refuse(shown, "This file is empty.");
      else queue = queue.then(() => send(file, fields, shown));
    }
  };

  if (form) {
    const drop = form.querySelector(".drop");
    const input = form.elements.file;
    const chosen = () => {
      take(Array.from(input.files));
      input.value = "";
    };
    input.addEventListener("change", chosen);
    chosen(); // what was chosen before this script was here
    form.addEventListener("submit", (event) => event.preventDefault());
    // A file that misses the field must not replace the page.
    for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
    for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
    window.addEventListener("drop", (event) => take(Array.from(event.dataTransfer?.files ?? [])));
  }
  // What a button of a card could not do is said on the card; what the card asks by itself, it asks again.
  const complain = (event, message) => {
    const card = event.detail.elt.closest("article");
    if (!card || event.detail.requestConfig.verb === "get") return;
    const notice = card.querySelector(".refusal") ?? document.createElement("p");
    notice.className = "notice bad refusal";
    notice.setAttribute("role", "alert");
    notice.textContent = message;
    card.querySelector("footer").before(notice);
  };
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) location.assign("/");
    else complain(event, detail(event.detail.xhr, "This did not work. Try again."));
  });
  document.body.addEventListener("htmx:sendError", (event) => complain(event, "The connection broke. Try again."));
  // A card that is replaced while its button has the focus keeps the focus, even when that button is gone.
  let focused = "";
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target } = event.detail;
    focused = target.contains(document.activeElement) ? target.id : "";
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (focused && event.target.id === focused && document.activeElement === document.body) {
      event.target.focus({ preventScroll: true });
    }
  });
  document.body.addEventListener("htmx:load", (event) => localTimes(event.detail.elt));
  localTimes(document);
})();
