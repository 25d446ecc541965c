import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/query-client";
import { makeRouter } from "./router";
import { ServerEventsProvider } from "./server-events/provider";
import "./styles.css";

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");

const router = makeRouter();

createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <ServerEventsProvider>
        <RouterProvider router={router} />
      </ServerEventsProvider>
    </QueryClientProvider>
  </StrictMode>,
);
