/* Another vendor's library, which had the name before us. */
window.analytics = { heard: [], track(name) { this.heard.push(name); } };
