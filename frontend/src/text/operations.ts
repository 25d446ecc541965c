export const operations = { title: "operations" };
