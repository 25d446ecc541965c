export const manual = {
  title: "Manual",
  chapters: "Chapters",
  first: "Start here",
  api: "API",
};
