export const common = {
  cancel: "Cancel",
  close: "Close",
  dismiss: "Dismiss",
  choicesOf: (field: string) => `Choices of ${field}`,
  retry: "Try again",
  copy: "Copy",
  copied: "Copied",
  copyLabel: (what: string) => `Copy ${what}`,
  unknown: "Not given",
  whatToDo: "What to do",
  version: "Version",
  digest: "Digest",
  accuracy: "Accuracy",
  type: "Type",
  file: "File",
  formatSize: "Size",
  since: "Since",
  by: "by",
  /** With a minus sign, and without one for a level that rounds to 0. */
  dbfs: (value: number) => `${(Math.round(value * 10) / 10 + 0).toFixed(1).replace("-", "−")} dBFS`,
  actors: {
    api: "the API",
    cli: "the command line",
    page: "the page",
    script: "the script",
    startup: "the server at its start",
    "follow-up": "the server",
    sql: "SQL in the database",
    migration: "a migration",
    server: "the server",
    database: "the database",
  } as Record<string, string>,
  microphone: {
    raw: "The sound is used unchanged: the browser's gain control, noise suppression and echo cancellation are off.",
    activeProcessing: (what: string) =>
      `The browser still applies ${what}; scores can differ from those of an unchanged recording.`,
    processing: { gain: "gain control", noise: "noise suppression", echo: "echo cancellation" },
    problems: {
      denied: {
        title: "The microphone is not allowed",
        detail: "The browser does not let this page use the microphone.",
        remedy: "Allow the microphone in the browser's settings for this site, then try again.",
      },
      absent: {
        title: "No microphone found",
        detail: "The browser found no microphone on this machine.",
        remedy: "Connect a microphone, or drop a recording on the Try it page.",
      },
      insecure: {
        title: "The microphone needs a secure address",
        detail: "Browsers allow the microphone only on localhost and on https addresses.",
        remedy: "Open the page at localhost, or put the server behind a proxy with https.",
      },
      silent: {
        title: "The browser's sound did not start",
        detail: "The browser may use the microphone, but runs no sound, so it records nothing.",
        remedy: "Connect or switch on an output for sound, headphones for example, then try again.",
      },
      failed: {
        title: "The microphone did not start",
        detail: "The operating system reported an error while it opened the microphone.",
        remedy: "Close other programs that use the microphone, then try again.",
      },
    },
  },
};

export const problem = {
  unreachable: {
    title: "The server does not answer",
    detail: "The request did not reach the server.",
    remedy: "Check that the server is running (make demo, or understudy serve). This page connects again by itself.",
  },
  unexpected: {
    title: "An unexpected answer",
    detail: (status: number) => `The server answered with status ${status} and no explanation.`,
    remedy: "Read the server's log, and the log of any proxy between the server and this page.",
  },
  chunk: {
    title: "This page could not be loaded",
    detail: "A part of the page did not arrive from the server.",
    remedy: "Check that the server is running, then choose Try again. The other pages still work.",
  },
  page: {
    title: "The page failed",
    remedy: "Reload the page. If the error returns, report it with the text above.",
  },
};

export const shell = {
  product: "Understudy",
  skip: "Skip to content",
  navigation: "Pages",
  help: "Help",
  pages: { models: "Models", try: "Try it", microphone: "Microphone", operations: "Operations" },
  feed: {
    open: "Connected",
    connecting: "Connecting",
    polling: "Updated every 5 s",
    offline: "Offline",
    lastKnown: (at: string) => `Last known at ${at}`,
    explain: {
      open: "Changes made by other pages and programs appear here within a second.",
      connecting: "Connecting to the server.",
      polling:
        "The server answers, but its updates do not arrive, perhaps because of a proxy. The page asks every 5 s.",
      offline: "The server does not answer, or cannot read its database. The page shows the last known state.",
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
    body: "The address is wrong, or the model was deleted.",
    back: "Go to the models",
  },
  formatTitle: (page: string) => `${page} · Understudy`,
};

export const states: Record<string, { label: string; explain: string }> = {
  live: { label: "Live", explain: "Answers every request that names no model." },
  ready: { label: "Ready", explain: "Compiled and checked. It can go live at once." },
  not_compiled: { label: "Not compiled", explain: "It is compiled when you activate it." },
  compiling: { label: "Compiling", explain: "The server converts it and compares it with the original." },
  refused: { label: "Refused", explain: "It cannot be served. Open it to read the reason." },
  missing: { label: "File missing", explain: "The registered file is not on disk." },
  changed: { label: "File changed", explain: "The file on disk is not the registered file." },
};
