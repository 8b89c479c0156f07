extension DemoScript {
    /// Mazes: what each player sees beside where it is.
    static let maze = #"""
        class MazeView {
          constructor(stage, match) {
            this.match = match;
            this.you = match.players.findIndex((player) => player.kind === "you");
            this.maps = element("input", { type: "checkbox", id: "maps", onchange: () => this.showMaps() });
            this.maps.checked = this.you < 0;
            this.players = match.players.map((player, index) => this.panel(player, index));
            const best = match.shortest === null || match.shortest === undefined ? "" : `; the shortest way has ${match.shortest} steps`;
            stage.replaceChildren(
              element("p", { class: "facts", id: "place" }, (match.task === "maze" ? `Maze ${match.seed}, ${match.options["maze-size"]} × ${match.options["maze-size"]} cells: find the red block, in ` : "")
                + `${match.episodes} ${match.episodes === 1 ? "episode" : "episodes"} of at most ${match.longestEpisode} steps${best}.`),
              element("div", { class: "tools" }, element("label", { class: "tick" }, this.maps, "Show maps")),
              this.board = element("div", { class: "players" }, ...this.players.map((player) => player.node)));
            this.showMaps();
            this.players.forEach((player) => this.draw(player));
          }

          panel(player, index) {
            const { floor, frame } = this.match;
            const made = { ...player, index, ways: [[]], lengths: [], reward: 0 };
            made.view = element("canvas", { class: "view", width: frame[0], height: frame[1], role: "img" });
            // Larger than its body, which would be hard to see.
            const [side, cell, radius] = [floor.side, floor.cell, Math.max(floor.body, 0.24 * floor.cell)];
            const boxes = (list) => list.map(([x, y, width, height]) => `M${x} ${y}h${width}v${height}h${-width}z`).join("");
            made.trails = drawing("g");
            made.body = drawing("circle", { r: radius });
            made.nose = drawing("line", { "stroke-width": radius * 0.4, "stroke-linecap": "round" });
            made.nose.style.stroke = "var(--page)";
            made.body.style.fill = colour(index);
            made.map = drawing("svg", { class: "map", viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": `${player.name}: the maze from above` },
              drawing("path", { class: "wall", d: boxes(floor.walls) }), drawing("path", { class: "goal", d: boxes(floor.targets) }), made.trails, made.body, made.nose);
            made.unit = cell;
            made.radius = radius;
            made.place = element("p");
            made.eyes = element("div", { class: "eyes" }, made.view, made.map);
            made.results = element("ul", { class: "results", "aria-label": `${player.name}: episodes` });
            made.node = element("article", { class: "player" + (player.kind === "you" ? " you" : ""), "aria-label": player.name },
              element("h2", {}, player.name), made.place, made.eyes, made.results);
            made.node.style.borderTopColor = colour(index);
            if (player.kind === "you") {
              const button = (action, text, label) => element("button", { type: "button", "data-action": action, "aria-label": label, onclick: () => act(action) }, text);
              made.pad = element("div", { class: "pad", role: "group", "aria-label": "Your moves" },
                button(1, "↰", "Turn left"), button(0, "↑", "Step forward"), button(2, "↱", "Turn right"));
              made.node.append(made.pad);
            }
            made.ways[0].push(player.now.place);
            return made;
          }

          showMaps() {
            this.board.classList.toggle("blind", !this.maps.checked);
            for (const player of this.players) {
              player.map.toggleAttribute("hidden", !this.maps.checked);
              player.eyes.classList.toggle("blind", !this.maps.checked);
            }
          }

          draw(player) {
            const now = player.now, [width, height] = this.match.frame;
            const bytes = atob(now.frame), image = new ImageData(width, height);
            for (let pixel = 0; pixel < width * height; pixel++) {
              for (let part = 0; part < 3; part++) image.data[4 * pixel + part] = bytes.charCodeAt(3 * pixel + part);
              image.data[4 * pixel + 3] = 255;
            }
            player.view.getContext("2d").putImageData(image, 0, 0);
            player.view.setAttribute("aria-label", `What ${player.name === "You" ? "you see" : player.name + " sees"}`);
            const [x, y, degrees] = now.place, angle = degrees * Math.PI / 180, radius = player.radius;
            player.body.setAttribute("cx", x);
            player.body.setAttribute("cy", y);
            for (const [name, value] of [["x1", x], ["y1", y], ["x2", x + 0.9 * radius * Math.cos(angle)], ["y2", y + 0.9 * radius * Math.sin(angle)]]) player.nose.setAttribute(name, value);
            player.trails.replaceChildren(...player.ways.map((way, episode) => {
              // Ways of two episodes that are the same lie side by side.
              const shift = (episode - (player.ways.length - 1) / 2) * player.unit / 14;
              const line = drawing("polyline", { points: way.map(([px, py]) => `${px + shift},${py + shift}`).join(" "), "stroke-width": player.unit / 10 });
              line.style.stroke = colour(player.index);
              line.style.opacity = episode === player.ways.length - 1 ? 0.95 : 0.35;
              return line;
            }));
            const policy = this.match.task === "maze" && player.kind === "policy" && now.probabilities
              ? "; next: " + ["forward", "left", "right"].map((name, action) => `${name} ${percent(now.probabilities[action])}`).join(", ") : "";
            player.place.textContent = now.isOver ? `All episodes are over; reward ${player.reward.toFixed(2)}.`
              : `Episode ${now.episode + 1} of ${this.match.episodes}, step ${now.step}${policy}`;
            player.results.replaceChildren(...player.lengths.map(({ steps, succeeded }, episode) =>
              element("li", { class: succeeded ? "won" : "missed" }, `episode ${episode + 1}: ` + (succeeded ? `found in ${steps} ${steps === 1 ? "step" : "steps"}` : `not found in ${steps} steps`))));
            if (player.pad) for (const button of player.pad.children) button.disabled = now.isOver;
          }

          take(played) {
            played.players.forEach((one, index) => {
              const player = this.players[index];
              if (one.steps.length === 0) return;
              for (const step of one.steps) {
                player.reward += step.reward;
                player.ways[player.ways.length - 1].push(step.place);
                if (!step.endsEpisode) continue;
                player.lengths.push({ steps: step.step, succeeded: step.succeeded });
                if (step.episode + 1 < this.match.episodes) player.ways.push([player.ways[0][0]]);
              }
              player.now = one.now;
              this.draw(player);
            });
            if (this.you >= 0 && this.players[this.you].now.isOver && !this.maps.checked) {
              this.maps.checked = true;
              this.showMaps();
            }
          }

          /** Episodes that ended; nothing else is worth a word. */
          words(played) {
            const texts = played.players.flatMap((one, index) => one.steps.filter((step) => step.endsEpisode).map((step) =>
              `${this.players[index].name}: episode ${step.episode + 1}, ${step.succeeded ? "found" : "not found"} in ${step.step} steps`));
            const mine = this.you < 0 ? undefined : played.players[this.you].steps[0];
            if (mine && mine.reward < -0.0405 && mine.reward > -0.05) texts.push("You hit a wall");
            return (texts.join("; ") + (played.isOver ? ". The trial is over." : "")) || undefined;
          }

          move(action) { return { action, steps: 0 }; }
          key(event) {
            if (this.you < 0 || this.players[this.you].now.isOver) return undefined;
            return { ArrowUp: 0, ArrowLeft: 1, ArrowRight: 2, w: 0, a: 1, d: 2 }[event.key];
          }
          get pause() { return 90; }
          get keys() { return (this.you >= 0 ? "arrow keys: your way; " : "") + "space: let the agents play and pause; S: one step; N: a new maze"; }
        }

        """#

    /// The page around them.
    static let page = #"""
        const titles = { bandit: "Bandit", mdp: "MDP", maze: "Maze" };
        /** Numbers of a task's form: option, label, least, most, step. */
        const fields = {
          bandit: [["arms", "Arms", 2, 50, 1], ["episodes", "Pulls", 1, 500, 1]],
          mdp: [["episodes", "Episodes", 1, 100, 1]],
          maze: [["maze-size", "Size, cells", 3, 31, 2], ["loops", "Loops, 0 to 1", 0, 1, 0.1], ["episodes", "Episodes", 1, 20, 1]],
        };
        let menu, task, match, view, timer = null, buttons = {}, queue = Promise.resolve();

        function say(text) { if (text !== undefined) $("status").textContent = text; }

        /** Runs a call to the server; shows what went wrong. */
        async function attempt(work) {
          try {
            const result = await work();
            $("message").hidden = $("lost").hidden = true;
            return result;
          } catch (error) {
            pause();
            $("lost").hidden = !(error instanceof Lost);
            $("message").hidden = error instanceof Lost;
            $("message").textContent = error.message;
          }
        }

        function chooseTask(name) {
          pause();
          task = name;
          for (const tab of $("tabs").children) {
            const isChosen = tab.dataset.task === name;
            tab.setAttribute("aria-selected", isChosen);
            tab.tabIndex = isChosen ? 0 : -1;
          }
          $("panel").setAttribute("aria-labelledby", "tab-" + name);
          makeForm();
          begin();
        }

        function makeForm() {
          const agents = menu.agents.filter((agent) => agent.task === task);
          const opponents = menu.tasks.find((one) => one.name === task).opponents;
          const tick = (name, value, text, isChecked, title) => {
            const input = element("input", { type: "checkbox", name, value });
            input.checked = isChecked;
            return element("label", { class: "tick", title }, input, text);
          };
          const standard = agents[0].options;
          $("form").replaceChildren(
            element("fieldset", {}, element("legend", {}, "Trained agents"), ...agents.map((agent, index) =>
              tick("agent", agent.name, agent.title, index < (task === "maze" ? 2 : 1), agent.summary))),
            element("fieldset", {}, element("legend", {}, "Beside them"), ...opponents.map((one) => tick("opponent", one.name, one.title, one.isChosen)),
              tick("you", "you", "You", false)),
            ...(fields[task] ?? []).map(([name, label, least, most, step]) => {
              const input = element("input", { type: "number", name, min: least, max: most, step, value: standard[name], inputmode: "decimal" });
              return element("label", { class: "field" }, label, input);
            }),
            element("label", { class: "field" }, "Seed", element("input", { type: "number", name: "seed", min: 0, step: 1, placeholder: "any", inputmode: "numeric" })),
            element("button", { class: "main", id: "new" }, "New " + (task === "mdp" ? "MDP" : task)));
        }

        async function begin() {
          pause();
          const form = $("form");
          const chosen = (name) => [...form.querySelectorAll(`input[name=${name}]:checked`)].map((input) => input.value);
          const options = {};
          for (const [name, label] of fields[task] ?? []) {
            const input = form.querySelector(`[name=${name}]`);
            // What the browser cannot read is empty, and not what somebody wrote.
            if (input.validity.badInput) return attempt(async () => { throw new Error(`${label}: write a number`); });
            if (input.value !== "") options[name] = input.value;
          }
          const seed = form.querySelector("[name=seed]");
          if (seed.validity.badInput || (seed.value !== "" && !/^\d{1,15}$/.test(seed.value))) {
            return attempt(async () => { throw new Error("Seed: write a whole number of 0 or more, or leave it empty"); });
          }
          const request = { task, agents: chosen("agent"), opponents: chosen("opponent"), options, you: chosen("you").length > 0,
            seed: seed.value === "" ? null : Number(seed.value) };
          const opened = await attempt(() => call("/api/matches", request));
          if (!opened || opened.task !== task) return;
          match = opened;
          const stage = element("div");
          view = new (match.floor && match.frame ? MazeView : ChoiceView)(stage, match);
          const button = (name, text, work) => (buttons[name] = element("button", { type: "button", id: name, onclick: work }, text));
          const tools = element("div", { class: "tools", role: "group", "aria-label": "Play" },
            Object.assign(button("play", "Play", toggle), { className: "main" }), button("step", "Step", () => advance(1)),
            button("end", "To the end", () => { pause(); advance(2000); }),
            element("span", { class: "facts", id: "seed" }, "seed " + match.seed));
          $("stage").replaceChildren(tools, stage);
          $("keys").textContent = "Keys: " + view.keys + ".";
          say(`A new ${task === "mdp" ? "MDP" : task}, seed ${match.seed}.`);
          update(false);
        }

        /** Buttons as the trial stands. */
        function update(isOver) {
          const agentsDone = view.players.filter((player) => player.kind !== "you").every((player) => player.now.isOver);
          for (const name of ["play", "step", "end"]) buttons[name].disabled = agentsDone;
          if (agentsDone || isOver) pause();
        }

        /** One request at a time, in order: a trial has one order of events. */
        function move(wanted) {
          const id = match?.id;
          const done = queue.then(() => moveNow(id, wanted));
          queue = done.catch(() => undefined);
          return done;
        }

        async function moveNow(id, wanted) {
          if (!match || match.id !== id) return false;
          const played = await attempt(() => call("/api/matches/" + id, wanted));
          if (!played || match.id !== id) return false;
          view.take(played);
          say(view.words(played));
          update(played.isOver);
          return true;
        }

        const advance = (steps) => move({ steps });
        async function act(action) { await move(view.move(action)); }

        async function tick() {
          const wasPlaying = timer;
          await advance(1);
          if (timer !== null && timer === wasPlaying) timer = setTimeout(tick, view.pause);
        }

        function pause() {
          if (timer !== null) clearTimeout(timer);
          timer = null;
          if (buttons.play) buttons.play.textContent = "Play";
        }

        function toggle() {
          if (timer !== null) return pause();
          buttons.play.textContent = "Pause";
          timer = setTimeout(tick, 0);
        }

        async function load() {
          menu = await attempt(() => call("/api/menu"));
          if (!menu) return;
          $("tabs").replaceChildren(...menu.tasks.map((one) => element("button", { type: "button", role: "tab", id: "tab-" + one.name,
            "aria-controls": "panel", "data-task": one.name, onclick: () => chooseTask(one.name) }, titles[one.name] ?? one.name)));
          const wanted = new URLSearchParams(location.search).get("task");
          chooseTask(menu.tasks.some((one) => one.name === wanted) ? wanted : menu.tasks[0].name);
        }

        addEventListener("resize", () => view?.drawTotals?.());

        addEventListener("DOMContentLoaded", () => {
          $("form").addEventListener("submit", (event) => { event.preventDefault(); begin(); });
          $("form").noValidate = true;
          $("retry").addEventListener("click", load);
          $("tabs").addEventListener("keydown", (event) => {
            const tabs = [...$("tabs").children], step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (!step) return;
            event.stopPropagation();
            const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
            next.focus();
            next.click();
          });
          addEventListener("keydown", (event) => {
            if (!view || event.ctrlKey || event.altKey || event.metaKey) return;
            const target = event.target, isTyping = target.matches("input[type=number], select");
            if (isTyping) return;
            const action = view.key(event);
            if (action !== undefined) {
              event.preventDefault();
              act(action);
            } else if (event.key === " " && !target.matches("button, input")) {
              event.preventDefault();
              if (!buttons.play.disabled) toggle();
            } else if (event.key === "s" && !buttons.step.disabled) {
              pause();
              advance(1);
            } else if (event.key === "n") {
              begin();
            }
          });
          load();
        });
        """#
}
