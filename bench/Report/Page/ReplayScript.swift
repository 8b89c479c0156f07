import Interface

/// The one script of a report: it plays the replays. Each `.replay` holds its data as JSON, controls and a stage; a view
/// draws a moment of one kind of trial on the stage.
enum ReplayScript {
    static let text = #"""
        "use strict";
        (() => {
          function element(tag, attributes = {}, ...children) {
            const made = document.createElement(tag);
            for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
            made.append(...children);
            return made;
          }

          /** A table of rows; a head is a text, or a text and the columns that it is above. */
          function table(heads, rows) {
            const head = element("tr", {}, ...heads.map((one) => {
              const [text, columns] = [one].flat();
              return element("th", { class: "left", scope: "col", colspan: columns ?? 1 }, text);
            }));
            return element("div", { class: "table" },
              element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
          }

          /** A bar of a share of its width, and a mark at another if there is one. */
          function bar(kind) {
            const [filled, mark] = [element("i"), element("b")];
            return { node: element("div", { class: "bar " + kind }, filled, ...(kind === "belief" ? [mark] : [])),
              set(share, marked) {
                const percent = (value) => 100 * Math.min(1, Math.max(0, value)) + "%";
                filled.style.width = percent(share);
                if (marked !== undefined) mark.style.left = percent(marked);
              } };
          }

          const percent = (share) => (100 * share).toFixed(1) + " %";

          /** A bandit or an MDP: a row for each action, with what the policy would do, could know, and what is true. */
          class ChoiceView {
            constructor(stage, page) {
              const { trial_steps: trialSteps, horizon, mean_rewards: meanRewards, best_actions: bestActions, prior, players } =
                page.replay;
              Object.assign(this, { page, trialSteps, horizon, meanRewards, bestActions, prior, players });
              this.policy = players[0];
              this.length = this.policy.actions.length;
              this.rows = this.meanRewards[0].map((_, action) => {
                const row = { chance: bar("chance"), belief: bar("belief"), texts: [0, 1, 2].map(() => element("td", { class: "right" })) };
                row.pulls = this.players.map(() => element("td", { class: "right" }));
                row.node = element("tr", {}, element("td", {}, action + 1),
                  element("td", {}, row.chance.node), row.texts[0], element("td", {}, row.belief.node),
                  row.texts[1], row.texts[2], ...row.pulls);
                return row;
              });
              this.totals = element("p");
              const others = this.players.slice(1).map((player) => player.name);
              stage.replaceChildren(
                table([page.action, ["policy takes it with", 2], ["mean reward: believed, true", 3],
                  ...["policy", ...others].map((name) => "times by " + name)], this.rows.map((row) => row.node)),
                this.totals, element("p", { class: "note" },
                  "Green: the posterior mean after what the policy has seen, from a prior of " + this.prior.mean
                  + " that weighs as much as " + this.prior.weight + (this.prior.weight === 1 ? " reward" : " rewards")
                  + "; orange: the true mean. ★ is what one who knows the member takes. "
                  + (page.isCut ? "Only the first " + this.length + " steps of " + this.trialSteps + " are kept." : "")));
            }
            /** Steps before `step` at which a player took an action in a state, and the rewards that they brought. */
            seen(player, state, action, step) {
              let [count, sum] = [0, 0];
              for (let t = 0; t < step; t++) {
                if (player.states[t] !== state || player.actions[t] !== action) continue;
                count += 1;
                sum += player.rewards[t];
              }
              return { count, mean: (this.prior.weight * this.prior.mean + sum) / (this.prior.weight + count) };
            }
            episodeOf(step) { return Math.floor(step / this.horizon); }
            show(step) {
              const [state, taken] = [this.policy.states[step], this.policy.actions[step]];
              const best = this.bestActions[step % this.horizon][state];
              const [low, high] = this.page.range;
              const place = (value) => (value - low) / (high - low);
              this.rows.forEach((row, action) => {
                const [share, truth] = [this.policy.probabilities[step][action], this.meanRewards[state][action]];
                const known = this.seen(this.policy, state, action, step);
                row.chance.set(share);
                row.belief.set(place(known.mean), place(truth));
                row.texts[0].textContent = percent(share);
                row.texts[1].textContent = known.mean.toFixed(2);
                row.texts[2].textContent = (action === best ? "★ " : "") + truth.toFixed(2);
                this.players.forEach((player, index) => {
                  row.pulls[index].textContent = this.seen(player, state, action, step).count;
                });
                row.node.className = action === taken ? "chosen" : "";
              });
              const total = (player) => player.rewards.slice(0, step + 1).reduce((sum, reward) => sum + reward, 0);
              this.totals.textContent = "Reward so far: " + this.players.map((player, index) =>
                (index === 0 ? "policy" : player.name) + " " + Number(total(player).toFixed(2))).join(", ");
              const where = this.horizon > 1 || this.meanRewards.length > 1
                ? "episode " + (this.episodeOf(step) + 1) + ", state " + (state + 1) + ": " : "";
              return this.page.step + " " + (step + 1) + " of " + this.trialSteps + ": " + where + "the policy takes "
                + this.page.action + " " + (taken + 1) + ", reward " + Number(this.policy.rewards[step].toFixed(2));
            }
          }

          /** A maze: what the agent sees beside where it is, and what it would do. */
          class MazeView {
            constructor(stage, page) {
              Object.assign(this, page);
              this.length = this.moments.length;
              const [width, height] = this.frameSize;
              this.zoom = Math.max(1, Math.round(400 / width));
              this.view = element("div", { class: "view", role: "img", "aria-label": "what the agent sees" });
              Object.assign(this.view.style, { width: width * this.zoom + "px", height: height * this.zoom + "px",
                backgroundImage: "url(" + this.sheet + ")",
                backgroundSize: this.columns * width * this.zoom + "px auto" });
              const ways = this.colours.map((colour) =>
                `<polyline class="way" fill="none" stroke="${colour}" stroke-width="3" stroke-linejoin="round"/>`);
              const holder = element("div");
              holder.innerHTML = `<svg class="map" viewBox="0 0 ${this.side} ${this.side}" role="img" `
                + `aria-label="the maze from above"><image href="${this.map}" width="${this.side}" height="${this.side}"/>`
                + ways.join("") + `<g class="agent"><circle r="${this.radius}" stroke="#fff" stroke-width="2"/>`
                + `<line x2="${2 * this.radius}" stroke="#fff" stroke-width="3"/></g></svg>`;
              this.ways = [...holder.querySelectorAll(".way")];
              this.agent = holder.querySelector(".agent");
              this.rows = ["forward", "left", "right"].map((name) => {
                const row = { chance: bar("chance"), text: element("td") };
                row.node = element("tr", {}, element("td", {}, name), element("td", {}, row.chance.node), row.text);
                return row;
              });
              const ends = this.lengths.map((length, episode) => "episode " + (episode + 1) + ": " + length + " steps, "
                + (this.isReached[episode] ? "target reached" : "target not reached"));
              stage.replaceChildren(element("div", { class: "eyes" }, this.view, holder),
                table(["action", ["policy takes it with", 2]], this.rows.map((row) => row.node)),
                element("p", {}, ends.join("; ") + "; the shortest way has " + (this.shortest ?? "unknown") + " steps. "
                  + (this.every > 1 ? "Every " + this.every + "th step is shown." : "")));
            }
            episodeOf(index) { return this.moments[index].episode; }
            show(index) {
              const moment = this.moments[index];
              const [width, height] = this.frameSize;
              const [column, row] = [moment.frame % this.columns, Math.floor(moment.frame / this.columns)];
              this.view.style.backgroundPosition =
                -column * width * this.zoom + "px " + -row * height * this.zoom + "px";
              this.ways.forEach((way, episode) => {
                const points = this.moments.slice(0, index + 1).filter((one) => one.episode === episode);
                way.setAttribute("points", points.map((one) => one.x + "," + one.y).join(" "));
                way.setAttribute("opacity", episode === moment.episode ? 1 : 0.35);
              });
              this.agent.setAttribute("transform", `translate(${moment.x} ${moment.y}) rotate(${moment.angle})`);
              this.agent.setAttribute("fill", this.colours[moment.episode]);
              this.rows.forEach((row, action) => {
                const share = moment.probabilities ? moment.probabilities[action] : 0;
                row.chance.set(share);
                row.text.textContent = moment.probabilities ? percent(share) : "";
                row.node.className = action === moment.action ? "chosen" : "";
              });
              const end = this.isReached[moment.episode] ? "the target is reached" : "the time is over";
              return "episode " + (moment.episode + 1) + " of " + this.lengths.length + ", step " + moment.step + " of "
                + this.lengths[moment.episode] + ": "
                + (moment.probabilities ? "the policy takes " + ["forward", "left", "right"][moment.action] : end);
            }
          }

          function start(root) {
            const pages = JSON.parse(root.querySelector("script").textContent);
            const [controls, stage] = [root.querySelector(".controls"), root.querySelector(".stage")];
            const [select, slider] = [controls.querySelector("select"), controls.querySelector("input")];
            const button = (name) => controls.querySelector(`[data-do=${name}]`);
            const chart = root.querySelector("svg");
            let [view, step, timer] = [null, 0, null];

            function show(next) {
              step = Math.min(view.length - 1, Math.max(0, next));
              slider.value = step;
              const text = view.show(step);
              root.querySelector("output").textContent = text;
              slider.setAttribute("aria-valuetext", text);
              moveCursor();
            }
            function moveCursor() {
              if (!chart) return;
              let cursor = chart.querySelector(".cursor");
              if (!cursor) {
                chart.insertAdjacentHTML("beforeend", `<line class="cursor"/>`);
                cursor = chart.querySelector(".cursor");
                cursor.setAttribute("y1", 12);
                cursor.setAttribute("y2", chart.viewBox.baseVal.height - 48);
              }
              const [left, right] = [Number(chart.dataset.left), Number(chart.dataset.right)];
              const x = left + (right - left) * step / Math.max(1, view.length - 1);
              cursor.setAttribute("x1", x);
              cursor.setAttribute("x2", x);
            }
            function pause() {
              clearInterval(timer);
              timer = null;
              button("play").textContent = "Play";
            }
            function play() {
              if (step === view.length - 1) show(0);
              button("play").textContent = "Pause";
              timer = setInterval(() => {
                show(step + 1);
                if (step === view.length - 1) pause();
              }, Math.min(600, Math.max(80, 12000 / view.length)));
            }
            function choose(index) {
              pause();
              const page = pages[index];
              view = page.kind === "maze" ? new MazeView(stage, page) : new ChoiceView(stage, page);
              slider.max = view.length - 1;
              // Where an episode is one step there is nothing to leap over.
              button("episode").hidden = view.episodeOf(view.length - 1) === view.length - 1;
              show(0);
            }

            button("play").addEventListener("click", () => (timer === null ? play() : pause()));
            button("back").addEventListener("click", () => { pause(); show(step - 1); });
            button("forward").addEventListener("click", () => { pause(); show(step + 1); });
            button("episode").addEventListener("click", () => {
              let next = step;
              while (next < view.length - 1 && view.episodeOf(next) === view.episodeOf(step)) next += 1;
              show(next);
            });
            slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
            select.addEventListener("change", () => choose(Number(select.value)));
            controls.hidden = false;
            choose(0);
          }

          document.querySelectorAll(".replay").forEach(start);
        })();
        """#
}
