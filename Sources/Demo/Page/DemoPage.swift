/// The page of the demo: its frame and its style. What happens on it is `DemoScript`'s.
enum DemoPage {
    static let html = """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>rl2x demo</title>
        <link rel="stylesheet" href="/style.css"><script src="/script.js" defer></script></head>
        <body>
        <a class="skip" href="#stage">Skip to the trial</a>
        <header>
        <h1>rl2x <span>learned learning algorithms, playing live</span></h1>
        <div id="tabs" role="tablist" aria-label="Task"></div>
        </header>
        <main id="panel" role="tabpanel">
        <noscript><p>The agents are played by JavaScript, which is switched off here.</p></noscript>
        <div id="lost" class="message" role="alert" hidden>
        <p>The server does not answer. Start <code>rl2x demo</code> again, then try again.</p>
        <button type="button" id="retry">Try again</button></div>
        <p id="message" class="message" role="alert" hidden></p>
        <form id="form" aria-label="New trial"></form>
        <p id="status" role="status" aria-live="polite"></p>
        <section id="stage" aria-label="Trial" tabindex="-1"></section>
        </main>
        <footer><p id="keys"></p><p>Everything is computed by the program that serves this page, on this machine.</p></footer>
        </body></html>

        """

    static let style = """
        :root { color-scheme: light dark; --ink: #1d2129; --soft: #5b6472; --rule: #d9dde4; --page: #ffffff; --card: #f5f6f8;
          --good: #00734f; --bad: #b3261e; --wall: #3e4454; --floor: #f4f1ea; --goal: #e22028;
          --c0: #0072b2; --c1: #c25200; --c2: #00815f; --c3: #aa3377; --c4: #8a6500; --c5: #2b7fb0; --c6: #6b4fbb; --c7: #6a6a6a; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #a3abb9; --rule: #3a414d; --page: #15181d;
          --card: #1e222a; --good: #4ccf9f; --bad: #ff8a80; --wall: #8a92a6; --floor: #262b34; --goal: #ff5a5f;
          --c0: #4aa8e0; --c1: #f08040; --c2: #35c79a; --c3: #dd77aa; --c4: #e0b040; --c5: #80c8ee; --c6: #a58be8; --c7: #a8a8a8; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
        header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 16px; }
        header { padding-top: 14px; } footer { padding-top: 20px; padding-bottom: 40px; color: var(--soft); font-size: 13px; }
        footer p { margin: 4px 0; }
        h1 { font-size: 22px; margin: 0 0 10px; } h1 span { font-weight: 400; font-size: 15px; color: var(--soft); margin-left: 6px; }
        h2 { font-size: 16px; margin: 0; } h3 { font-size: 14px; margin: 18px 0 6px; }
        .skip { position: absolute; left: -9999px; } .skip:focus { left: 8px; top: 8px; background: var(--page); padding: 6px; }
        [hidden] { display: none !important; }
        button, select, input { font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--soft);
          border-radius: 7px; }
        button { padding: 6px 14px; min-height: 38px; cursor: pointer; background: var(--card); }
        button:hover:not(:disabled) { border-color: var(--ink); } button:disabled { opacity: .45; cursor: default; }
        button.main { background: var(--c0); border-color: var(--c0); color: var(--page); font-weight: 600; }
        :focus-visible { outline: 3px solid var(--c0); outline-offset: 2px; }
        #stage:focus { outline: none; }
        #tabs { display: flex; gap: 4px; border-bottom: 1px solid var(--rule); }
        #tabs button { border: 1px solid transparent; border-bottom: 0; border-radius: 7px 7px 0 0; background: none; padding: 6px 18px; }
        #tabs button[aria-selected=true] { border-color: var(--rule); background: var(--card); font-weight: 600; }
        .message { border-left: 4px solid var(--bad); background: var(--card); padding: 8px 12px; margin: 12px 0; }
        .message p { margin: 0 0 8px; }
        form { display: flex; flex-wrap: wrap; gap: 10px 18px; align-items: flex-end; background: var(--card); padding: 12px 14px;
          border-radius: 0 8px 8px 8px; margin-bottom: 16px; }
        fieldset { border: 0; padding: 0; margin: 0; min-width: 0; display: flex; flex-wrap: wrap; gap: 2px 14px; flex: 1 1 100%; }
        legend { padding: 0; font-weight: 600; font-size: 13px; color: var(--soft); }
        label.tick { display: inline-flex; gap: 6px; align-items: center; min-height: 32px; }
        label.tick input { width: 18px; height: 18px; margin: 0; accent-color: var(--c0); flex: none; }
        label.field { display: flex; flex-direction: column; font-size: 13px; color: var(--soft); }
        label.field input, label.field select { width: 92px; padding: 5px 8px; min-height: 38px; font-size: 15px; }
        .tools { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; margin: 10px 0 14px; }
        .tools select { padding: 5px 8px; min-height: 38px; max-width: 210px; }
        .facts { color: var(--soft); margin: 0 0 4px; }
        .arms { list-style: none; margin: 0; padding: 0; display: grid; gap: 10px; grid-template-columns: repeat(auto-fill, minmax(176px, 1fr)); }
        .arms.many { grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); gap: 6px; }
        .many .arm { padding: 6px; font-size: 13px; } .many .belief { height: 24px; } .many .caption { font-size: 12px; margin-top: 2px; }
        .many .arm button { padding: 2px; min-height: 32px; margin-top: 4px; } .many .who, .many dl, .many .mean { display: none; }
        .many .arm > .name { min-height: 1.45em; }
        .arm { border: 1px solid var(--rule); border-radius: 9px; padding: 9px 10px; background: var(--card); min-width: 0; }
        .arm.last { border-color: var(--c0); box-shadow: inset 0 0 0 1px var(--c0); }
        .arm > .name { display: flex; justify-content: space-between; gap: 6px; font-weight: 600; }
        .arm button { width: 100%; margin-top: 6px; }
        .arm dl { margin: 4px 0 0; display: grid; grid-template-columns: 1fr auto; gap: 0 8px; font-size: 13px; }
        .arm dt { color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .arm dd { margin: 0; font-variant-numeric: tabular-nums; }
        .bar { height: 9px; background: var(--rule); border-radius: 3px; overflow: hidden; } .bar i { display: block; height: 100%; width: 0; background: var(--c0); }
        .caption { display: flex; justify-content: space-between; white-space: nowrap; overflow: hidden; font-size: 13px; color: var(--soft); margin-top: 6px; font-variant-numeric: tabular-nums; }
        .belief { display: block; width: 100%; height: 44px; } .belief .area { fill: var(--c2); opacity: .35; } .belief .edge { fill: none; stroke: var(--c2); stroke-width: 1.5; }
        .belief .truth { stroke: var(--c1); stroke-width: 2.5; } .belief .base { stroke: var(--soft); }
        .swatch { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { padding: 3px 10px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; } .score th:first-child { padding-left: 10px; } .score td:first-child { white-space: normal; min-width: 170px; overflow-wrap: break-word; padding-left: 27px; text-indent: -17px; }
        .score small { display: block; color: var(--soft); text-indent: 0; } td { vertical-align: top; } th { color: var(--soft); font-weight: 600; }
        .history td.cell { padding: 2px; border: 0; text-align: center; min-width: 24px; }
        .history td.cell span { display: block; border: 1px solid var(--rule); border-radius: 4px; padding: 0 3px; font-size: 12px; color: var(--soft); }
        .history td.cell.won span { border-color: var(--good); color: var(--good); font-weight: 700; }
        .history th, .history td:first-child { position: sticky; left: 0; background: var(--page); font-weight: 400; color: var(--ink); }
        figure { margin: 14px 0 0; } figcaption { font-weight: 600; font-size: 14px; } .chart { max-width: 100%; height: auto; display: block; }
        .chart text { fill: var(--soft); font: 12px system-ui, sans-serif; } .chart .grid { stroke: var(--rule); } .chart polyline { fill: none; stroke-width: 2.2; }
        .split { display: grid; gap: 4px 28px; grid-template-columns: minmax(0, 1fr); }
        .players { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 470px), 1fr)); }
        .player { border: 1px solid var(--rule); border-top: 4px solid var(--soft); border-radius: 9px; padding: 10px 12px; background: var(--card); min-width: 0; }
        .player p { margin: 2px 0 8px; color: var(--soft); font-size: 13px; }
        .eyes { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 10px; align-items: start; }
        .eyes.blind { grid-template-columns: minmax(0, 1fr); } .players.blind { grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); }
        .view { width: 100%; image-rendering: pixelated; border-radius: 5px; background: #000; display: block; }
        .map { width: 100%; height: auto; border-radius: 5px; background: var(--floor); display: block; }
        .map .wall { fill: var(--wall); } .map .goal { fill: var(--goal); } .map polyline { fill: none; stroke-linejoin: round; stroke-linecap: round; }
        .results { list-style: none; margin: 8px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 8px; font-size: 13px; }
        .results li { border: 1px solid var(--rule); border-radius: 6px; padding: 1px 8px; background: var(--page); }
        .results li.won { border-color: var(--good); color: var(--good); } .results li.missed { border-color: var(--bad); color: var(--bad); }
        .pad { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; margin-top: 10px; } .pad button { min-height: 52px; font-size: 18px; }
        #status { min-height: 1.5em; margin: 0 0 10px; }
        @media (min-width: 900px) { .split { grid-template-columns: auto minmax(0, 1fr); } }
        @media (max-width: 480px) { body { font-size: 14px; } #status { min-height: 4.5em; } h1 span { display: block; margin: 0; } header, main, footer { padding: 0 12px; }
          header { padding-top: 10px; } .arms:not(.many) { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
          .arms.many { grid-template-columns: repeat(4, minmax(0, 1fr)); } form { gap: 8px 12px; }
          label.field input, label.field select { width: 84px; } #tabs button { padding: 6px 12px; } .spare { display: none; } .score td:first-child { min-width: 130px; }
          .player.you { order: -1; } th, td { padding: 3px 7px; } }
        """
}
