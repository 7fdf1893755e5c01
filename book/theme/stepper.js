// A transcript as a sequence diagram, step by step, beside what each process is at that moment.
//
// It is drawn from the records that stand after the transcript, so it says what the kernel said.
// Without scripts, the transcript itself stays.

window.towerStepper = (() => {
    "use strict";

    const { parse, runs, states } = window.towerRecords;
    const { element, button, row, heads, card, fill, link, clock, ROWS } = window.towerLifelines;
    const PACE = 1500; // milliseconds

    // Every step of every run, with what the processes are after it.
    const flat = (all) => all.flatMap((run) => {
        const after = states(run);
        return run.steps.map((step, at) => ({ run, step, at, after: after[at] }));
    });

    // What happened at a step that is not shown is drawn at the next one that is.
    const withMarks = (shown) => shown.map((one, index) => {
        const before = shown[index - 1];
        const from = before?.run === one.run ? before.at + 1 : 0;
        return { ...one, from, before, marks: one.run.steps.slice(from, one.at + 1).flatMap((step) => step.marks) };
    });

    class Stepper {
        constructor(lines, shownInText) {
            this.all = flat(runs(lines));
            const records = this.all.filter((one) => one.step.kind === "record");
            this.details = records.filter((one) => one.step.level === "debug").length;
            this.everything = this.details === 0 || records.length <= shownInText;
            this.list = element("ol", "steps");
            this.list.tabIndex = 0;
            this.list.setAttribute("aria-label", "the steps of this run");
            this.controls = this.makeControls();
            this.say = element("p", "say");
            this.say.setAttribute("aria-live", "polite");
            this.cards = element("div", "cards");
            this.moment = element("div", "moment", this.controls, this.say, this.cards);
            this.root = element("div", "stepper", element("div", "columns", this.list, this.moment));
            this.root.setAttribute("role", "group");
            this.root.setAttribute("aria-label", "this run, step by step");
            this.root.addEventListener("keydown", (event) => this.key(event));
            this.list.addEventListener("click", (event) => this.click(event));
            this.draw();
            this.show(this.most());
        }

        makeControls() {
            this.back = button("back", "one step back", "◀");
            this.forward = button("forward", "one step forward", "▶");
            this.player = button("play", "play", "play");
            this.slider = element("input", "");
            this.slider.type = "range";
            this.slider.min = 1;
            this.slider.setAttribute("aria-label", "step");
            this.count = element("span", "count");
            this.back.addEventListener("click", () => this.go(this.now - 1));
            this.forward.addEventListener("click", () => this.go(this.now + 1));
            this.player.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
            this.slider.addEventListener("input", () => this.go(Number(this.slider.value) - 1));
            return element("div", "controls", this.back, this.forward, this.player, this.slider, this.count);
        }

        draw() {
            this.steps = withMarks(this.all.filter((one) => this.everything || one.step.level !== "debug"));
            this.list.replaceChildren();
            for (const one of this.steps) {
                one.row = row(one.run, one.step, one.from, one.at, one.marks);
                one.row.style.setProperty("--columns", one.run.processes.length);
                if (one.run !== one.before?.run) this.headsWanted = one.run.processes.length > 0;
                if (one.step.kind !== "command" && this.headsWanted) {
                    const head = heads(one.run);
                    head.style.setProperty("--columns", one.run.processes.length);
                    this.list.append(head);
                    this.headsWanted = false;
                }
                this.list.append(one.row);
            }
            this.slider.max = this.steps.length;
        }

        // Where most is to be seen: all is set up, and the command starts.
        most() {
            const executing = this.steps.findLastIndex((one) => /^executing: /.test(one.step.message ?? ""));
            return executing < 0 ? this.steps.length - 1 : executing;
        }

        show(index) {
            this.now = Math.min(Math.max(index, 0), this.steps.length - 1);
            this.steps.forEach((one, other) => {
                one.row.classList.toggle("past", other < this.now);
                if (other === this.now) one.row.setAttribute("aria-current", "step");
                else one.row.removeAttribute("aria-current");
            });
            const { run, step, after, before } = this.steps[this.now];
            this.count.textContent = `${this.now + 1} of ${this.steps.length}`;
            this.slider.value = this.now + 1;
            this.slider.setAttribute("aria-valuetext", this.count.textContent);
            this.back.disabled = this.now === 0;
            this.forward.disabled = this.now === this.steps.length - 1;
            this.tell(step);
            this.fillCards(run, after, before?.run === run ? before.after : undefined);
        }

        tell(step) {
            if (step.kind !== "record") {
                this.say.replaceChildren(step.kind === "command" ? "You type: " : "It prints: ", element("code", "", step.text));
                return;
            }
            const who = element("b", "", `${step.role}[${step.pid}]`);
            if (step.by) who.dataset.side = step.by.side;
            this.say.replaceChildren(clock(step.elapsed_ms), " ", who, " ", element("span", "message", step.message), " ", link(step.place));
        }

        fillCards(run, after, before) {
            if (run.processes.length === 0) return;
            if (this.cardsOf !== run) {
                this.cardsOf = run;
                const known = this.all.filter((one) => one.run === run).flatMap((one) => [...one.after.values()]);
                const names = ROWS.filter((name) => known.some(({ rows }) => name in rows));
                this.made = run.processes.map((process) => [process, card(process, names)]);
                this.cards.replaceChildren(...this.made.map(([, { made }]) => made));
            }
            this.made.forEach(([process, one]) => fill(one, process, after, before));
        }

        // The reader's doing, unlike show().
        go(index, isPlayed = false) {
            if (!isPlayed) this.stop();
            this.show(index);
            const isBeside = this.say.getBoundingClientRect().left >= this.list.getBoundingClientRect().right;
            if (isBeside) this.steps[this.now].row.scrollIntoView({ block: "nearest" });
        }

        play() {
            if (this.now === this.steps.length - 1) this.go(0);
            this.player.textContent = "pause";
            this.player.setAttribute("aria-label", "pause");
            this.timer = setInterval(() => {
                this.go(this.now + 1, true);
                if (this.now === this.steps.length - 1) this.stop();
            }, PACE);
        }

        stop() {
            clearInterval(this.timer);
            this.timer = undefined;
            this.player.textContent = "play";
            this.player.setAttribute("aria-label", "play");
        }

        key(event) {
            const to = { ArrowLeft: this.now - 1, ArrowRight: this.now + 1, Home: 0, End: this.steps.length - 1 }[event.key];
            if (to === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.stopPropagation(); // these keys would turn the book's pages
            event.preventDefault();
            this.go(to);
        }

        click(event) {
            const clicked = event.target.closest("a") ? null : event.target.closest("li");
            const index = this.steps.findIndex((one) => one.row === clicked);
            if (index >= 0) this.go(index);
        }

        // A box to tick where some lines are details.
        choice() {
            if (this.details === 0) return [];
            const box = element("input", "");
            box.type = "checkbox";
            box.checked = this.everything;
            box.addEventListener("change", () => {
                const at = this.all.findIndex((one) => one.step === this.steps[this.now].step);
                this.everything = box.checked;
                this.draw();
                const isBefore = (one) => this.all.findIndex((other) => other.step === one.step) <= at;
                this.go(this.steps.findLastIndex(isBefore));
            });
            return [element("label", "every-line", box, " every line")];
        }
    }

    // The diagram of the records from the command `first` on. The text shows so many lines of log.
    const make = (records, first, shownInText) => new Stepper(parse(records, first), shownInText);

    return { make };
})();
