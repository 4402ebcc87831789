import { createApp } from "vue";

import App from "./App.vue";
import { analytics } from "./analytics.js";

const app = createApp(App);
app.config.globalProperties.$analytics = analytics;
app.mount("#root");
