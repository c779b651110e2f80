// Starts Swagger UI on our own document, and keeps its colours with the system's.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  displayRequestDuration: true,
  showMutatedRequest: false,
  validatorUrl: null, // it would send the document's address to another origin
});

// The dialog would begin at its last field; address and password, the first, are what people have.
document.addEventListener("click", (event) => {
  if (event.target.closest(".authorize, .authorization__btn")) {
    setTimeout(() => document.getElementById("oauth_username")?.focus());
  }
});
