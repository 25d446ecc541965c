import { expect, test } from "@playwright/test";
import { makeKit, TestServer } from "../e2e/server";
import { Firefox } from "./firefox";

test("the main walk: activate, roll back, try a clip, listen through an outage, read the history", async () => {
  const { kit, remove } = makeKit();
  const server = new TestServer(kit);
  const firefox = new Firefox();
  try {
    await server.start();
    await server.setUpModels();
    await firefox.start();

    await test.step("models", async () => {
      await firefox.open(server.url);
      await firefox.waitFor(/Live now\s+ten/);
      await firefox.waitFor("Connected");
      await firefox.click("Activate six");
      await firefox.click("Make it live");
      await firefox.waitFor("six is live");
      await firefox.click("Close");
      await firefox.waitFor(/Live now\s+six/);
      await firefox.click("Roll back to ten");
      await firefox.waitFor(/Live now\s+ten/);
    });

    await test.step("try it", async () => {
      await firefox.open(`${server.url}/try`);
      await firefox.click("Rain");
      await firefox.waitFor("Answered by ten");
      // A spectrogram of more than one color was drawn.
      const countColors = `(() => {
        const canvas = document.querySelector("[data-strip=spectrum] canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      })()`;
      await expect.poll(() => firefox.evaluate<number>(countColors)).toBeGreaterThan(10);
      await firefox.click("Play");
      const position = `Number(document.querySelector("[aria-label='Position in the clip']").value)`;
      await expect.poll(() => firefox.evaluate<number>(position)).toBeGreaterThan(0.3);
    });

    await test.step("microphone", async () => {
      await firefox.open(`${server.url}/live`);
      await firefox.click("Start listening");
      await firefox.waitFor("Listening. Answered by ten");
      await firefox.waitFor("Scores and thresholds");
      server.pause();
      await firefox.waitFor(/No answer for \d+ s/);
      await firefox.waitFor("No current score");
      // By then the page has given up the connection, so that nothing of the outage is scored later.
      await firefox.waitFor(/No answer for (9|\d\d) s/);
      server.resume();
      await firefox.waitFor("Listening. Answered by ten");
      await firefox.waitFor(/Not heard \d+/);
      await firefox.click("Stop");
      await firefox.waitFor("Not listening");
    });

    await test.step("operations", async () => {
      await firefox.open(`${server.url}/operations`);
      await firefox.waitFor(/Rolled back to/);
      await firefox.waitFor("Requests a second");
    });
    expect(firefox.faults).toEqual([]);
  } finally {
    await firefox.stop();
    await server.remove();
    remove();
  }
});
