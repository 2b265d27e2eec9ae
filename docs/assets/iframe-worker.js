// Browsers start no Web Worker from file://, where the search has to work as well. A hidden frame
// that runs the same script stands in for it. Elsewhere nothing changes.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.appendChild(this.frame)
      const inside = this.frame.contentDocument
      inside.open()
      inside.write(
        "<script>self.postMessage = data => parent.postMessage({ data }, '*')</script>" +
        "<script src=\"" + new URL(url, location.href) + "\"></script>"
      )
      inside.close()
      this.ready = new Promise(resolve => this.frame.addEventListener("load", resolve))
      addEventListener("message", event => {
        if (event.source === this.frame.contentWindow) {
          const answer = new MessageEvent("message", { data: event.data.data })
          this.dispatchEvent(answer)
          this.onmessage?.(answer)
        }
      })
    }

    postMessage(data) {
      this.ready.then(() => {
        const inside = this.frame.contentWindow
        inside.dispatchEvent(new inside.MessageEvent("message", { data }))
      })
    }

    terminate() {
      this.frame.remove()
    }
  }
}
