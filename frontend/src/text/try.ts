export const tryIt = { title: "try" };
