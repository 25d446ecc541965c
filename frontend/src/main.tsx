import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AccessProvider } from "./access/provider";
import { queryClient } from "./api/query-client";
import { ListeningProvider } from "./microphone/listening-provider";
import { makeRouter, preloadPages } from "./router";
import { ServerEventsProvider } from "./server-events/provider";
import "./styles.css";

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");

const IDLE_MS = 3000;
const router = makeRouter();

// Safari has no requestIdleCallback.
const whenIdle = globalThis.requestIdleCallback ?? ((call: () => void) => setTimeout(call, IDLE_MS));
whenIdle(preloadPages, { timeout: IDLE_MS });

createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <AccessProvider>
        <ServerEventsProvider>
          <ListeningProvider>
            <RouterProvider router={router} />
          </ListeningProvider>
        </ServerEventsProvider>
      </AccessProvider>
    </QueryClientProvider>
  </StrictMode>,
);
