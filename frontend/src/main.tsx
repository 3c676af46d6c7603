import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { WelcomePage } from "./features/welcome/WelcomePage";
import "./index.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <WelcomePage />
  </StrictMode>,
);
