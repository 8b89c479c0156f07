/// What happens on the page of the demo: it asks the server for who can play, begins trials, lets the agents play on, and draws
/// what comes back. Nothing is computed here but what a drawing needs.
enum DemoScript {
    static let text = common + choices + maze + page

    /// Pieces that both kinds of trial use.
    static let common = #"""
        "use strict";
        const $ = (name) => document.getElementById(name);

        function element(tag, attributes = {}, ...children) {
          const made = document.createElement(tag);
          for (const [name, value] of Object.entries(attributes)) {
            if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
            else if (value === true) made.setAttribute(name, "");
            else if (value !== false && value !== undefined) made.setAttribute(name, value);
          }
          made.append(...children);
          return made;
        }

        function drawing(tag, attributes = {}, ...children) {
          const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
          for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
          made.append(...children);
          return made;
        }

        const colour = (index) => `var(--c${index % 8})`;
        const percent = (share) => Math.round(100 * share) + "\u00a0%";
        /** Two decimals at most. */
        const short = (value) => String(Math.round(100 * value) / 100);

        function swatch(index) {
          const made = element("i", { class: "swatch", "aria-hidden": "true" });
          made.style.background = colour(index);
          return made;
        }

        class Lost extends Error {}

        async function call(path, body) {
          let response;
          try {
            response = await fetch(path, body === undefined ? {} : {
              method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
          } catch { throw new Lost("the server does not answer"); }
          const answer = await response.json().catch(() => ({}));
          if (!response.ok) throw new Error(answer.error ?? "the server answered " + response.status);
          return answer;
        }

        /** Round numbers from 0 to at least `most`, about four of them. */
        function ticks(most) {
          const rough = Math.max(most, 1e-9) / 4, power = 10 ** Math.floor(Math.log10(rough));
          const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
          const places = [];
          for (let place = 0; place < most + step; place += step) places.push(Math.round(place * 1e6) / 1e6);
          return places;
        }

        /** Lines of running totals, one a player, from a zero before the first step. */
        function chart(label, series, length, width) {
          const [height, left, bottom, top, right] = [220, 44, 26, 10, 12];
          const all = series.flatMap((one) => one.values);
          const low = Math.min(0, ...all);
          const steps = ticks(Math.max(...all, 1)), most = steps[steps.length - 1];
          const x = (place) => left + (width - left - right) * place / Math.max(1, length);
          const y = (value) => top + (height - top - bottom) * (most - value) / (most - low);
          const made = drawing("svg", { class: "chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
            "aria-label": label + ": " + series.map((one) => one.name + " " + short(one.values[one.values.length - 1] ?? 0)).join(", ") });
          for (const value of steps) {
            made.append(drawing("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
              Object.assign(drawing("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }), { textContent: short(value) }));
          }
          for (const place of ticks(length).filter((one) => one <= length && Number.isInteger(one))) {
            made.append(Object.assign(drawing("text", { x: x(place), y: height - 8, "text-anchor": "middle" }), { textContent: place }));
          }
          series.forEach((one, index) => {
            const points = [0, ...one.values].map((value, place) => x(place).toFixed(1) + "," + y(value).toFixed(1)).join(" ");
            const line = drawing("polyline", { points });
            line.style.stroke = colour(index);
            if (one.isDashed) line.setAttribute("stroke-dasharray", "6 4");
            made.append(line);
          });
          return made;
        }

        """#

    /// Bandits and tabular MDPs: a card for each action.
    static let choices = #"""
        class ChoiceView {
          constructor(stage, match) {
            this.match = match;
            this.isBandit = match.task === "bandit";
            this.table = match.table;
            this.length = match.episodes * match.longestEpisode;
            this.players = match.players.map((player) => ({ ...player, steps: [] }));
            this.you = this.players.findIndex((player) => player.kind === "you");
            this.word = this.isBandit ? "arm" : "action";
            this.isMany = match.actions > 12;
            const first = this.players.findIndex((player) => player.kind === "policy");
            this.focus = Math.max(0, first);
            this.select = element("select", { id: "focus", onchange: () => { this.focus = Number(this.select.value); this.draw(); } },
              ...this.players.map((player, index) => element("option", { value: index }, player.name)));
            this.select.value = this.focus;
            this.truth = element("input", { type: "checkbox", id: "truth", onchange: () => this.draw() });
            this.truth.checked = this.you < 0;
            this.place = element("p", { class: "facts", id: "place" });
            this.cards = Array.from({ length: match.actions }, (_, action) => this.card(action));
            this.totals = element("tbody");
            this.history = element("tbody");
            this.figure = element("figure");
            const heads = ["player", "reward", ...(this.isBandit ? ["regret", "best arm"] : []), this.isBandit ? "pulls" : "steps"];
            stage.replaceChildren(this.place,
              element("div", { class: "tools" }, element("label", {}, "Look into ", this.select),
                element("label", { class: "tick" }, this.truth, "Show true means")),
              element("ul", { class: "arms" + (this.isMany ? " many" : ""), "aria-label": this.isBandit ? "Arms" : "Actions" },
                ...this.cards.map((card) => card.node)),
              element("div", { class: "split" },
                element("div", {}, element("h3", {}, "Score"), element("div", { class: "scroll score", tabindex: 0, role: "region", "aria-label": "Score" },
                  element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head, index) => element("th", { scope: "col", class: index === heads.length - 1 ? "spare" : undefined }, head)))), this.totals))),
                this.figure),
              element("h3", {}, this.isBandit ? "Pull by pull: the number of the arm, green if it paid" : "Step by step: the action"),
              element("div", { class: "scroll history", tabindex: 0, role: "region", "aria-label": "History" }, element("table", {}, this.history)));
            this.draw();
          }

          card(action) {
            const card = { bar: element("i"), share: element("span"), belief: drawing("svg", { class: "belief", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img" }),
              mean: element("span", { class: "mean" }), star: element("span"), list: element("dl"), who: element("span", { class: "who" }) };
            card.chance = element("div", {}, element("div", { class: "caption" }, card.who, card.share), element("div", { class: "bar" }, card.bar));
            card.node = element("li", { class: "arm" },
              element("div", { class: "name" }, element("span", {}, (this.isMany ? "" : this.isBandit ? "Arm " : "Action ") + (action + 1)), card.star),
              card.chance, element("div", { class: "caption" }, card.mean), card.belief, card.list);
            if (this.you >= 0) {
              card.button = element("button", { type: "button", "data-action": action, onclick: () => act(action) },
                (this.isBandit ? "Pull " : "Take ") + (action + 1));
              card.node.append(card.button);
            }
            return card;
          }

          /** What a player has seen of an action in a state. */
          seen(player, state, action) {
            let [count, sum] = [0, 0];
            for (const step of player.steps) {
              if (step.state !== state || step.action !== action) continue;
              count += 1;
              sum += step.reward;
            }
            return { count, sum };
          }

          /** The density of what the mean reward is believed to be, drawn from 0 to 1, or around all true means. */
          drawBelief(card, { count, sum }, truth, name) {
            const means = this.table.meanRewards.flat();
            const [low, high] = this.isBandit ? [0, 1] : [Math.min(...means) - 1, Math.max(...means) + 1];
            const { priorMean, priorWeight } = this.table;
            const mean = (priorWeight * priorMean + sum) / (priorWeight + count);
            const deviation = 1 / Math.sqrt(priorWeight + count);
            const [won, lost] = [priorWeight * priorMean + sum, priorWeight * (1 - priorMean) + count - sum];
            const logarithm = (value) => this.isBandit
              ? (won === 1 ? 0 : (won - 1) * Math.log(value)) + (lost === 1 ? 0 : (lost - 1) * Math.log(1 - value))
              : -0.5 * ((value - mean) / deviation) ** 2;
            const places = Array.from({ length: 61 }, (_, index) => low + (high - low) * Math.min(Math.max(index / 60, 0.001), 0.999));
            const values = places.map(logarithm), top = Math.max(...values);
            const x = (value) => 100 * (value - low) / (high - low);
            // A flat belief is drawn low, a sharp one high.
            const peak = Math.min(1, 0.35 + 0.09 * Math.sqrt(count) + (count > 0 ? 0.1 : 0));
            const points = places.map((place, index) => x(place).toFixed(2) + "," + (38 - 35 * peak * Math.exp(values[index] - top)).toFixed(2));
            card.belief.replaceChildren(drawing("line", { class: "base", x1: 0, x2: 100, y1: 38.5, y2: 38.5 }),
              drawing("polygon", { class: "area", points: `0,38 ${points.join(" ")} 100,38` }), drawing("polyline", { class: "edge", points: points.join(" ") }));
            if (this.truth.checked) card.belief.append(drawing("line", { class: "truth", x1: x(truth), x2: x(truth), y1: 2, y2: 38 }));
            card.belief.setAttribute("aria-label", `${name}: mean reward believed ${short(mean)} after ${count} ${count === 1 ? "try" : "tries"}`
              + (this.truth.checked ? `, true ${short(truth)}` : ""));
            card.mean.textContent = "believed " + mean.toFixed(2) + (this.truth.checked ? ", true " + truth.toFixed(2) : "");
          }

          draw() {
            const player = this.players[this.focus], now = player.now, state = now.state;
            const last = player.steps[player.steps.length - 1];
            const best = this.isBandit ? this.table.bestActions[0][0] : this.table.bestActions[now.step % this.match.longestEpisode][state];
            this.place.textContent = this.isBandit
              ? (now.isOver ? `All ${this.length} pulls are made.` : `${player.name} is at pull ${player.steps.length + 1} of ${this.length}.`)
              : (now.isOver ? `All ${this.match.episodes} episodes are over.`
                : `${player.name} is in state ${state + 1}: episode ${now.episode + 1} of ${this.match.episodes}, step ${now.step + 1} of ${this.match.longestEpisode}.`);
            this.cards.forEach((card, action) => {
              const share = now.probabilities?.[action];
              card.chance.hidden = share === undefined;
              card.who.textContent = this.isBandit ? "will pull it" : "will take it";
              card.share.textContent = share === undefined ? "" : percent(share);
              card.bar.style.width = 100 * (share ?? 0) + "%";
              card.node.classList.toggle("last", last !== undefined && last.action === action && (this.isBandit || last.state === state));
              card.star.textContent = this.truth.checked && action === best ? (this.isMany ? "★" : "★ best") : "";
              this.drawBelief(card, this.seen(player, state, action), this.table.meanRewards[state][action], player.name);
              const shown = this.isBandit && this.match.actions <= 12 ? this.players : [player];
              card.list.replaceChildren(...shown.flatMap((one) => {
                const { count, sum } = this.seen(one, state, action), index = this.players.indexOf(one);
                return [element("dt", {}, swatch(index), one.name),
                  element("dd", {}, this.isBandit ? `${sum} of ${count}` : `${count} × ${count ? short(sum / count) : "–"}`)];
              }));
              if (card.button) card.button.disabled = this.players[this.you].now.isOver;
            });
            this.drawTotals();
          }

          drawTotals() {
            const means = this.table.meanRewards[0], most = Math.max(...means);
            const lines = this.players.map((player) => {
              let total = 0;
              return { name: player.name, isDashed: player.kind === "you",
                values: player.steps.map((step) => (total += this.isBandit ? most - means[step.action] : step.reward)) };
            });
            this.totals.replaceChildren(...this.players.map((player, index) => {
              const reward = player.steps.reduce((sum, step) => sum + step.reward, 0);
              const values = lines[index].values;
              const cells = [short(reward)];
              if (this.isBandit) {
                cells.push(this.truth.checked ? (values[values.length - 1] ?? 0).toFixed(2) : "?");
                cells.push(this.truth.checked ? String(player.steps.filter((step) => means[step.action] === most).length) : "?");
              }
              cells.push(`${player.steps.length} of ${this.length}`);
              return element("tr", {}, element("td", {}, swatch(index), player.name, ...(player.summary ? [element("small", {}, player.summary)] : [])),
                ...cells.map((cell, place) => element("td", { class: place === cells.length - 1 ? "spare" : undefined }, cell)));
            }));
            const isShown = !this.isBandit || this.truth.checked;
            this.figure.hidden = !isShown;
            if (isShown) {
              // In pixels of the page, so that its text is as large as any other.
              const width = Math.max(280, Math.min(720, this.figure.clientWidth || innerWidth - 32));
              const label = this.isBandit ? "Regret so far: lost against the best arm" : "Reward so far";
              this.figure.replaceChildren(element("figcaption", {}, label), chart(label, lines, this.length, width));
            }
            this.history.replaceChildren(...this.players.map((player, index) => {
              const kept = player.steps.slice(-60);
              return element("tr", {}, element("th", { scope: "row" }, swatch(index), player.name), ...kept.map((step) =>
                element("td", { class: "cell" + ((this.isBandit ? step.reward > 0 : step.reward > 1) ? " won" : "") }, element("span", {}, step.action + 1))));
            }));
          }

          take(played) {
            played.players.forEach((one, index) => {
              this.players[index].steps.push(...one.steps);
              this.players[index].now = one.now;
            });
            if (played.isOver && this.you >= 0) this.truth.checked = true;
            this.draw();
          }

          /** What a step was, in words. */
          words(played) {
            const texts = played.players.flatMap((one, index) => {
              const step = one.steps[one.steps.length - 1];
              if (step === undefined) return [];
              const did = `${this.players[index].name}: ${this.word} ${step.action + 1}`;
              return [this.isBandit ? `${did}, ${step.reward > 0 ? "paid" : "nothing"}` : `${did}, reward ${short(step.reward)}`];
            });
            const count = Math.max(...this.players.map((player) => player.steps.length));
            if (!played.isOver) return `${this.isBandit ? "Pull" : "Step"} ${count} of ${this.length}. ` + texts.join("; ");
            return "The trial is over. " + this.players.map((player) =>
              `${player.name} earned ${short(player.steps.reduce((sum, step) => sum + step.reward, 0))}`).join("; ");
          }

          /** A move of the visitor takes everybody one step further. */
          move(action) { return { action, steps: 1 }; }
          key(event) {
            const digit = Number(event.key);
            if (this.you >= 0 && digit >= 1 && digit <= Math.min(9, this.match.actions)) return digit - 1;
          }
          get pause() { return this.length <= 20 ? 700 : this.length <= 120 ? 220 : 90; }
          get keys() {
            return (this.you >= 0 ? `1 to ${Math.min(9, this.match.actions)}: ${this.isBandit ? "pull an arm" : "take an action"}; ` : "")
              + "space: play and pause; S: one step; N: a new one";
          }
        }

        """#
}
