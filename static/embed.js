// <roomwatch-embed src="https://rooms.example.org/embed/rooms/room01" token-url="/roomwatch-token">: a frame of
// Roomwatch that is kept alive. token-url is an address of your own; it answers {"token": "…"} for whoever is
// logged in with you. This file is for pages that frame Roomwatch; it needs nothing else.

class RoomwatchEmbed extends HTMLElement {
  #frame;
  #origin;
  #answer = (event) => {
    if (event.source !== this.#frame?.contentWindow || event.origin !== this.#origin || event.data?.type !== "roomwatch:token") return;
    this.#fresh().then((token) => event.source.postMessage({ type: "roomwatch:token", token }, this.#origin)).catch(() => {});
  };

  connectedCallback() {
    addEventListener("message", this.#answer);
    this.#load();
  }

  disconnectedCallback() {
    removeEventListener("message", this.#answer);
    this.#frame?.remove();
    this.#frame = undefined;
  }

  async #fresh() {
    const answer = await fetch(this.getAttribute("token-url"), { method: "POST", credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${this.getAttribute("token-url")} answered ${answer.status}`);
    return (await answer.json()).token;
  }

  async #load() {
    const src = new URL(this.getAttribute("src"), location.href);
    this.#origin = src.origin;
    try {
      src.searchParams.set("token", await this.#fresh());
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: error }));
      return;
    }
    if (!this.isConnected) return;
    const frame = document.createElement("iframe");
    frame.src = src.href;
    frame.title = this.getAttribute("title") || "Room, live";
    frame.referrerPolicy = "no-referrer";
    frame.setAttribute("part", "frame");
    frame.style.cssText = "border:0;width:100%;height:100%;display:block";
    this.#frame = frame;
    this.replaceChildren(frame);
  }
}

if (!customElements.get("roomwatch-embed")) customElements.define("roomwatch-embed", RoomwatchEmbed);
