/// A good recipe and ways to break it, each with the one line that it must give.
enum RecipeMutations {
    static let base = """
        data: {kind: embedded}
        noise:
          kind: symmetric
          rate: 0.4
        model:
          name: lenet5
        method:
          name: distillation
          temperature: 2
          teacher:
            weights: selected
        optimizer: {learning-rate: 0.05}
        schedule: {kind: cosine}
        training:
          epochs: 3
          augmentation: {padding: 2}
        """

    struct Mutation: Sendable, CustomStringConvertible {
        var found: String
        var replacement: String
        var sentence: String
        var description: String {
            replacement.isEmpty ? "without \(found)" : String(replacement.prefix(60))
        }

        init(_ found: String, _ replacement: String, _ sentence: String) {
            (self.found, self.replacement, self.sentence) = (found, replacement, sentence)
        }
    }

    static let keys: [Mutation] = [
        .init(
            "training:", "traning:",
            #"r.yaml, line 14, traning: unknown key "traning" (did you mean "training"?)"#),
        .init(
            "epochs: 3", "epoch: 3",
            #"r.yaml, line 15, training.epoch: unknown key "epoch" (did you mean "epochs"?)"#),
        .init(
            "padding: 2", "pading: 2",
            #"r.yaml, line 16, training.augmentation.pading: unknown key "pading" (did you mean "padding"?)"#
        ),
        .init(
            "weights: selected", "wieghts: selected",
            #"r.yaml, line 11, method.teacher.wieghts: unknown key "wieghts" (did you mean "weights"?)"#
        ),
        .init(
            "{learning-rate: 0.05}", "{lr: 0.05}",
            #"r.yaml, line 12, optimizer.lr: unknown key "lr" (did you mean "learning-rate"?)"#
        ),
        .init(
            "temperature: 2", "smoothing: 0.1",
            #"r.yaml, line 9, method.smoothing: unknown key "smoothing" (one of: distillation-weight, divergence, label-weight, loss, name, preset, standardise-logits, teacher, temperature)"#
        ),
        .init(
            "temperature: 2", "divergence: {name: kl, order: 2}",
            #"r.yaml, line 9, method.divergence.order: unknown key "order" (one of: name)"#),
        .init(
            "temperature: 2", "divergence: {order: 2}",
            #"r.yaml, line 9, method.divergence: missing key "name" (method.divergence needs it)"#),
        .init(
            "temperature: 2", "divergence: {name: dkd, nontarget: 2}",
            #"r.yaml, line 9, method.divergence.nontarget: unknown key "nontarget" (did you mean "non-target"?)"#
        ),
        .init(
            "temperature: 2", "loss: {name: gce, alpha: 2}",
            #"r.yaml, line 9, method.loss.alpha: unknown key "alpha" (one of: name, q)"#),
        .init(
            "kind: cosine", "kind: cosine, warmup: 1",
            #"r.yaml, line 13, schedule.warmup: unknown key "warmup" (did you mean "warm-up"?)"#),
        .init(
            "kind: embedded", "kind: embedded, folder: x",
            "r.yaml, line 1, data.folder: key does not go with data.kind: found kind embedded"),
        .init(
            "kind: embedded", "kind: cifar10, path: x.csv",
            "r.yaml, line 1, data.path: key does not go with data.kind: found kind cifar10"),
        .init(
            "kind: embedded", "kind: idx, folder: x, drop: [1]",
            "r.yaml, line 1, data.drop: key does not go with data.kind: found kind idx"),
        .init(
            "kind: embedded", "kind: spiral, features: 3",
            "r.yaml, line 1, data.features: key does not go with data.kind: found kind spiral"),
        .init(
            "kind: embedded", "kind: colour-shapes, classes: 6",
            "r.yaml, line 1, data.classes: key does not go with data.kind: found kind colour-shapes"
        ),
        .init(
            "kind: embedded", "kind: gaussian-classes, turn: 3",
            "r.yaml, line 1, data.turn: key does not go with data.kind: found kind gaussian-classes"
        ),
        .init(
            "kind: embedded", "kind: embedded, samples: 100",
            "r.yaml, line 1, data.samples: key does not go with data.kind: found kind embedded"),
        .init(
            "kind: embedded", "kind: spiral, path: x.csv",
            "r.yaml, line 1, data.path: key does not go with data.kind: found kind spiral"),
        .init(
            "kind: embedded", "kind: idx",
            #"r.yaml, line 1, data: missing key "data.folder" (or give data.images and data.labels)"#
        ),
        .init("kind: embedded", "kind: csv", #"r.yaml, line 1, data: missing key "data.path""#),
        .init(
            "kind: embedded", "kind: csv, path: x.csv, hedaer: false",
            #"r.yaml, line 1, data.hedaer: unknown key "hedaer" (did you mean "header"?)"#),
        .init(
            "kind: embedded", "kind: embedded, pahts: x.csv",
            #"r.yaml, line 1, data.pahts: unknown key "pahts" (one of: clean-meta-validation, clean-validation, held-out, kind, limit, meta-validation, test, validation)"#
        ),
        .init("data: {kind: embedded}", "", #"r.yaml: missing key "data""#),
        .init(
            "{kind: embedded}", "{limit: 50}",
            #"r.yaml, line 1, data: missing key "kind" (data needs it)"#),
        .init(
            "  name: lenet5", "  nme: lenet5",
            #"r.yaml, line 6, model.nme: unknown key "nme" (did you mean "name"?)"#),
        .init(
            "  name: distillation\n", "",
            #"r.yaml, line 7, method: missing key "name" (method needs it)"#),
        .init("  rate: 0.4\n", "", "r.yaml, line 2, noise.rate: missing: kind symmetric needs it"),
        .init(
            "rate: 0.4", "rate: 0.4\n  map: mnist",
            "r.yaml, line 5, noise.map: has no meaning for kind symmetric (remove it)"),
        .init(
            "name: lenet5", "name: lenet5\n  width: 2",
            "r.yaml, line 7, model.width: the model lenet5 has no such option (it has no options)"),
        .init("schedule:", "data:", #"r.yaml, line 1: key "data" given twice"#),
        .init("epochs: 3", "epochs: 3\n  epochs: 4", #"r.yaml, line 15: key "epochs" given twice"#),
    ]

    static let values: [Mutation] = [
        .init(
            "epochs: 3", "epochs: three",
            #"r.yaml, line 15, training.epochs: wrong value: found "three", expected a whole number"#
        ),
        .init(
            "epochs: 3", "epochs: 3.5",
            #"r.yaml, line 15, training.epochs: wrong value: found "3.5", expected a whole number"#),
        .init(
            "epochs: 3", "epochs: [3]",
            "r.yaml, line 15, training.epochs: wrong value: found a list, expected a whole number"),
        .init(
            "epochs: 3", "epochs: 99999999999999999999",
            #"r.yaml, line 15, training.epochs: wrong value: found "99999999999999999999", expected a whole number"#
        ),
        .init(
            "epochs: 3", "epochs: 0",
            "r.yaml, line 15, training.epochs: value out of range: found 0, expected 1 to 100000"),
        .init(
            "epochs: 3", "batch: -1",
            "r.yaml, line 15, training.batch: value out of range: found -1, expected 1 to 65536"),
        .init(
            "epochs: 3", "ema: 1",
            "r.yaml, line 15, training.ema: value out of range: found 1.0, expected 0 <= ema < 1"
        ),
        .init(
            "epochs: 3", "ema: 0\n  use-ema: true",
            "r.yaml, line 16, training.use-ema: value out of range: found true with ema 0, expected an ema above 0"
        ),
        .init(
            "epochs: 3", "use-ema: perhaps",
            #"r.yaml, line 15, training.use-ema: wrong value: found "perhaps", expected true or false"#
        ),
        .init(
            "padding: 2", "padding: -2",
            "r.yaml, line 16, training.augmentation.padding: value out of range: found -2, expected 0 to 1024"
        ),
        .init(
            "padding: 2", "padding: 40",
            "r.yaml, line 16, training.augmentation.padding: crop padding out of range: found 40, expected 0 to 27"
        ),
        .init(
            "rate: 0.4", "rate: 1.4",
            "r.yaml, line 4, noise.rate: rate out of range: found 1.4, expected 0...1"),
        .init(
            "rate: 0.4", "rate: .nan",
            "r.yaml, line 4, noise.rate: rate out of range: found nan, expected 0...1"),
        .init(
            "rate: 0.4", "rate: much",
            #"r.yaml, line 4, noise.rate: wrong value: found "much", expected a number"#),
        .init(
            "kind: symmetric", "kind: symetric",
            #"r.yaml, line 3, noise.kind: unknown kind of label noise: found "symetric" (did you mean "symmetric"?)"#
        ),
        .init(
            "kind: symmetric", "kind: asymmetric\n  map: cifar11",
            #"r.yaml, line 4, noise.map: unknown map: found "cifar11" (one of: cifar10, cifar100-superclass, cifar100-blocks, mnist, fashion-mnist, or pairs such as {truck: automobile})"#
        ),
        .init(
            "kind: symmetric", "kind: asymmetric\n  map: {12: 1}",
            #"r.yaml, line 4, noise.map.12: no such class: found "12", expected class names, or numbers 0...9 throughout"#
        ),
        .init(
            "rate: 0.4", "matrix: [[1, 0], [0, 1]]\n  kind2: matrix",
            #"r.yaml, line 5, noise.kind2: unknown key "kind2" (did you mean "kind"?)"#),
        .init(
            "name: lenet5", "name: resnt20",
            #"r.yaml, line 6, model.name: unknown model: found "resnt20" (did you mean "resnet20"?)"#
        ),
        .init(
            "name: lenet5", "name: wrn-17-2",
            #"r.yaml, line 6, model.name: no such WideResNet: found "wrn-17-2", expected wrn-d-k with a depth d = 6n + 4 from 10 to 100 and a factor k from 1 to 20"#
        ),
        .init(
            "weights: selected", "model: {name: mlp, dropout: 1}",
            "r.yaml, line 11, method.teacher.model.dropout: out of range: found 1.0, expected a probability of at least 0 and below 1"
        ),
        .init(
            "weights: selected", "weights: best",
            #"r.yaml, line 11, method.teacher.weights: unknown word "best" (one of: selected, last, ema-selected, ema-last)"#
        ),
        .init(
            "name: distillation", "name: distilation",
            #"r.yaml, line 8, method.name: unknown method "distilation" (did you mean "distillation"?)"#
        ),
        .init(
            "temperature: 2", "temperature: 0",
            "r.yaml, line 9, method.temperature: value out of range: found 0.0, expected temperature > 0"
        ),
        .init(
            "temperature: 2", "label-weight: 0\n  distillation-weight: 0",
            "r.yaml, line 7, method: value out of range: found label-weight 0 and distillation-weight 0, expected at least one of them above 0"
        ),
        .init(
            "temperature: 2", "divergence: reny",
            #"r.yaml, line 9, method.divergence: unknown word "reny" (did you mean "renyi"?)"#),
        .init(
            "temperature: 2", "divergence: [kl]",
            "r.yaml, line 9, method.divergence: wrong value: found a list, expected a word"),
        .init(
            "temperature: 2", "divergence: {name: renyi, order: -1}",
            "r.yaml, line 9, method.divergence.order: value out of range: found -1.0, expected 0 or more (.inf too)"
        ),
        .init(
            "temperature: 2", "divergence: {name: renyi, order: .nan}",
            "r.yaml, line 9, method.divergence.order: value out of range: found nan, expected 0 or more (.inf too)"
        ),
        .init(
            "temperature: 2", "divergence: {name: jensen-shannon, weight: 1}",
            "r.yaml, line 9, method.divergence.weight: value out of range: found 1.0, expected above 0 and below 1"
        ),
        .init(
            "temperature: 2", "divergence: {name: dkd, target: -1}",
            "r.yaml, line 9, method.divergence.target: value out of range: found -1.0, expected 0 or more"
        ),
        .init(
            "temperature: 2", "divergence: {name: dkd, target: 0, non-target: 0}",
            "r.yaml, line 9, method.divergence.non-target: value out of range: found 0.0, expected above 0, as target is 0"
        ),
        .init(
            "temperature: 2", "loss: {name: gce, q: 0}",
            "r.yaml, line 9, method.loss.q: value out of range: found 0.0, expected above 0 and at most 1"
        ),
        .init(
            "temperature: 2", "loss: {name: sce, log-zero: 0}",
            "r.yaml, line 9, method.loss.log-zero: value out of range: found 0.0, expected below 0"),
        .init(
            "temperature: 2", "loss: {name: sce, alpha: 0, beta: 0}",
            "r.yaml, line 9, method.loss.beta: value out of range: found 0.0, expected above 0, as alpha is 0"
        ),
        .init(
            "temperature: 2", "loss: {name: cross-entropy, smoothing: 1}",
            "r.yaml, line 9, method.loss.smoothing: value out of range: found 1.0, expected 0 <= smoothing < 1"
        ),
        .init(
            "temperature: 2", "standardise-logits: much",
            #"r.yaml, line 9, method.standardise-logits: wrong value: found "much", expected true or false"#
        ),
        .init(
            "name: distillation\n  temperature: 2\n  teacher:\n    weights: selected",
            "name: cross-entropy\n  smoothing: 0.1\n  loss: gce",
            "r.yaml, line 9, method.smoothing: key does not go with method.loss: found loss gce, expected loss: cross-entropy"
        ),
        .init(
            "name: distillation\n  temperature: 2\n  teacher:\n    weights: selected",
            "name: self-distillation\n  labels: hard\n  divergence: kl",
            "r.yaml, line 10, method.divergence: a divergence needs soft labels: found hard ones, expected labels: soft and finite beta"
        ),
        .init(
            "name: distillation\n  temperature: 2\n  teacher:\n    weights: selected",
            "name: self-distillation\n  divergence: dkd",
            #"r.yaml, line 9, method.divergence: unknown word "dkd" (one of: kl, reverse-kl, jensen-shannon, renyi)"#
        ),
        .init(
            "{learning-rate: 0.05}", "{learning-rate: -0.05}",
            "r.yaml, line 12, optimizer: learning-rate is out of range: found -0.05, expected a number above 0"
        ),
        .init(
            "{learning-rate: 0.05}", "{kind: sdg}",
            #"r.yaml, line 12, optimizer.kind: unknown word "sdg" (did you mean "sgd"?)"#),
        .init(
            "{learning-rate: 0.05}", "{learning-rate: .inf}",
            "r.yaml, line 12, optimizer: learning-rate is out of range: found inf, expected a number above 0"
        ),
        .init(
            "{learning-rate: 0.05}", "fast",
            #"r.yaml, line 12, optimizer: wrong value: found "fast", expected a mapping (key: value)"#
        ),
        .init(
            "kind: cosine", "milestones: [3, 2]",
            "r.yaml, line 13, schedule: milestones must rise: found [3.0, 2.0], expected positive epochs, each after the one before"
        ),
        .init(
            "kind: cosine", "milestones: [3, x]",
            #"r.yaml, line 13, schedule.milestones.1: wrong value: found "x", expected a number"#),
        .init(
            "kind: embedded", "kind: embeded",
            #"r.yaml, line 1, data.kind: unknown word "embeded" (did you mean "embedded"?)"#),
        .init(
            "kind: embedded", "kind: embedded, validation: 1",
            "r.yaml, line 1, data.validation: value out of range: found 1.0, expected a share above 0 and below 1"
        ),
        .init(
            "kind: embedded", "kind: spiral, samples: 7",
            "r.yaml, line 1, data.samples: value out of range: found 7, expected 8 to 1000000"),
        .init(
            "kind: embedded", "kind: gaussian-classes, seed: -1",
            #"r.yaml, line 1, data.seed: wrong value: found "-1", expected a whole number, 0 or more"#
        ),
        .init(
            "kind: embedded", "kind: gaussian-classes, separation: .nan",
            "r.yaml, line 1, data.separation: value out of range: found nan, expected above 0, at most 1000000"
        ),
        .init(
            "kind: embedded", "kind: embedded, limit: 5000",
            "r.yaml, line 1, data.limit: value out of range: found 5000, expected at most the 4000 training samples"
        ),
        .init(
            "schedule:", "seed: -1\nschedule:",
            #"r.yaml, line 13, seed: wrong value: found "-1", expected a whole number, 0 or more"#),
        .init(
            "schedule:", "name: ''\nschedule:",
            "r.yaml, line 13, name: value out of range: found 0 characters, expected 1 to 80"),
        .init(
            "kind: embedded", "kind: idx, folder: /nowhere",
            "/nowhere/train-images-idx3-ubyte: no such file: expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz"
        ),
        .init(
            "weights: selected", "file: nowhere.safetensors",
            "nowhere.safetensors: cannot read: No such file or directory"),
    ]

    static let texts: [Mutation] = [
        .init(
            "  epochs: 3", "\tepochs: 3",
            "r.yaml, line 15: not YAML: found character that cannot start any token (YAML indents with spaces, not tabs; a word that begins with % @ or ` is quoted)"
        ),
        .init(
            "{kind: cosine}", "{kind: cosine",
            "r.yaml, line 14: not YAML: did not find expected ',' or '}'"),
        .init(
            "  kind: symmetric", "   kind: symmetric",
            "r.yaml, line 4: not YAML: did not find expected key"),
        .init("kind: cosine", "kind: \0", "r.yaml: not YAML: control characters are not allowed"),
        .init("kind: cosine", "kind: *cosine", "r.yaml, line 13: not YAML: found undefined alias"),
        .init("kind: cosine", "kind: &a [*a]", "r.yaml, line 13: not YAML: found undefined alias"),
        .init(
            "schedule:", "<<: {seed: 1}\nschedule:",
            #"r.yaml, line 13, <<: unknown key "<<" (merge keys are not read: write the keys out)"#
        ),
        .init(
            "schedule:", "---\nschedule:",
            "r.yaml, line 13: not YAML: expected a single document in the stream, but found another document"
        ),
        .init(
            "schedule:", "seed: !!python/object:os.system 1\nschedule:",
            "r.yaml, line 13: unknown YAML tag \"tag:yaml.org,2002:python/object:os.system\" (a recipe is plain data)"
        ),
        .init(base, "", "r.yaml: the recipe is empty: expected data, model and method"),
        .init(base, "# nothing\n", "r.yaml: the recipe is empty: expected data, model and method"),
        .init(
            base, "- a\n- b",
            "r.yaml: the recipe is not a mapping: expected lines of the form key: value"),
        .init(
            base, "hello",
            "r.yaml: the recipe is not a mapping: expected lines of the form key: value"),
        .init(
            "kind: cosine", "kind: " + String(repeating: "[", count: 200_000),
            "r.yaml, line 13: nested too deeply: expected at most 40 levels"),
        .init(
            "kind: cosine", "kind: " + String(repeating: "{a: ", count: 50_000),
            "r.yaml, line 13: nested too deeply: expected at most 40 levels"),
        .init(
            "schedule:", String(repeating: "- ", count: 100_000) + "\nschedule:",
            "r.yaml, line 13: nested too deeply: expected at most 40 levels"),
        .init(
            "schedule:", "x" + String(repeating: "x", count: 300_000) + ":",
            "r.yaml: file too large for a recipe: expected at most 262144 bytes"),
        .init(
            "schedule:", aliases(levels: 10, each: 10) + "schedule:",
            "r.yaml: too many YAML aliases: expected at most 16"),
        .init(
            "schedule:",
            "a: &a [\(String(repeating: "1,", count: 90_000))1]\nb: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nschedule:",
            "r.yaml: the recipe is too large with its aliases written out: expected at most 200000 values"
        ),
        .init(
            "kind: symmetric",
            "kind: asymmetric\n  map: {\((0..<20_000).map { "k\($0): 1" }.joined(separator: ","))}",
            #"r.yaml, line 4, noise.map.k0: no such class: found "k0", expected class names, or numbers 0...9 throughout"#
        ),
    ]

    /// Each level lists the one before several times: 10 levels of 10 are 10¹⁰ values.
    private static func aliases(levels: Int, each: Int) -> String {
        (0..<levels).map { level in
            let item = level == 0 ? "x" : "*l\(level - 1)"
            return
                "l\(level): &l\(level) [\([String](repeating: item, count: each).joined(separator: ", "))]\n"
        }.joined()
    }
}
