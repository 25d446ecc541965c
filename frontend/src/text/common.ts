export const common = {
  cancel: "Cancel",
  close: "Close",
  dismiss: "Dismiss",
  retry: "Try again",
  copy: "Copy",
  copied: "Copied",
  copyLabel: (what: string) => `Copy ${what}`,
  loading: "Loading",
  unknown: "Not given",
  whatToDo: "What to do",
  details: "Details",
  version: "Version",
  digest: "Digest",
  accuracy: "Accuracy",
  type: "Type",
  file: "File",
  formatSize: "Size",
  since: "Since",
  by: "by",
  now: "now",
  dbfs: (value: number) => `${value.toFixed(1)} dBFS`,
  actors: {
    api: "the API",
    cli: "the command line",
    script: "the script",
    server: "the server",
    database: "the database",
  } as Record<string, string>,
  microphone: {
    raw: "Recorded as it is: the browser's gain control, noise suppression and echo cancellation are off.",
    activeProcessing: (what: string) => `The browser still applies ${what}; scores may differ from a plain recording.`,
    processing: { gain: "gain control", noise: "noise suppression", echo: "echo cancellation" },
    problems: {
      denied: {
        title: "The microphone is not allowed",
        detail: "The browser was told not to give this page the microphone.",
        remedy: "Allow the microphone in the address bar's site settings, then try again.",
      },
      absent: {
        title: "No microphone found",
        detail: "The browser knows of no microphone on this machine.",
        remedy: "Connect one, or drop a recording on the Try it page.",
      },
      insecure: {
        title: "The microphone needs a secure address",
        detail: "Browsers give a microphone only to localhost and to https addresses.",
        remedy: "Open the page through localhost or put the server behind https.",
      },
      failed: {
        title: "The microphone did not start",
        detail: "The system reported a fault while opening the microphone.",
        remedy: "Close other programs that use it, then try again.",
      },
    },
  },
};

export const problem = {
  unreachable: {
    title: "The server does not answer",
    detail: "The request never reached Understudy.",
    remedy: "Check that the server is running (make demo, or understudy serve). This page tries again by itself.",
  },
  unexpected: {
    title: "An unexpected answer",
    detail: (status: number) => `The server answered ${status} without saying why.`,
    remedy: "Look at the server's log, and at any proxy between it and this page.",
  },
  page: {
    title: "The page met an error",
    remedy: "Reload the page. If it comes back, report it with the text above.",
  },
  codeLabel: (code: string) => `Error code ${code}`,
};

export const shell = {
  product: "Understudy",
  skip: "Skip to content",
  navigation: "Pages",
  pages: { models: "Models", try: "Try it", live: "Live", operations: "Operations" },
  feed: {
    open: "Following",
    connecting: "Connecting",
    offline: "Offline",
    explain: {
      open: "Changes made anywhere appear here within a second.",
      connecting: "Connecting to the server.",
      offline: "The server does not answer. What you see may be out of date.",
    },
  },
  theme: {
    label: "Theme",
    system: "System",
    light: "Light",
    dark: "Dark",
  },
  notFound: {
    title: "There is no such page",
    body: "The address may be mistyped, or the model was deleted.",
    back: "Go to the models",
  },
  apiDocs: "API reference",
  formatTitle: (page: string) => `${page} · Understudy`,
};

export const states: Record<string, { label: string; explain: string }> = {
  live: { label: "Live", explain: "Answers every request that names no model." },
  ready: { label: "Ready", explain: "Compiled and checked; goes live at once." },
  not_compiled: { label: "Not compiled", explain: "Compiled when you activate it." },
  compiling: { label: "Compiling", explain: "Being converted and checked against the original." },
  refused: { label: "Refused", explain: "Cannot be served; open it for the reason." },
  missing: { label: "File missing", explain: "The registered file is not on disk." },
  changed: { label: "File changed", explain: "The file on disk is not the one that was registered." },
};
