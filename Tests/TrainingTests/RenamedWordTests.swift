import Testing

@testable import Training

/// Keys and values of earlier versions are refused with what they are called now.
@Suite struct RenamedWordTests {
    private static let data = "data: {kind: embedded}\nmodel: {name: lenet5}\n"
    private static let none = """
        data: {kind: none, image-shape: [1, 28, 28], class-names: [a, b]}
        model: {name: lenet5}

        """

    private static func synthesis(_ options: String) -> String {
        data + "method: {name: data-free, synthesis: {\(options)}}"
    }

    private static func mixing(_ options: String) -> String {
        data + "method: {name: adaptive-mixing, \(options)}"
    }

    static let keys: [(old: String, new: String, recipe: String)] = [
        ("average", "ema", data + "method: {name: cross-entropy}\ntraining: {average: 0.9}"),
        (
            "use-average", "use-ema",
            data + "method: {name: cross-entropy}\ntraining: {use-average: true}"
        ),
        ("rate", "learning-rate", data + "method: {name: cross-entropy}\noptimizer: {rate: 0.1}"),
        ("rate", "learning-rate", data + "method: {name: cross-entropy}\nlater: {rate: 0.1}"),
        (
            "rate", "learning-rate",
            data + "method: {name: mutual, peers: [{optimizer: {rate: 0.1}}, {}]}"
        ),
        (
            "rate", "learning-rate",
            data + "method: {name: cross-entropy}\nrelation: {encoder: {optimizer: {rate: 0.1}}}"
        ),
        ("rate", "learning-rate", data + "method: {name: data-free, synthesis: {rate: 0.1}}"),
        (
            "noise-rate", "noise-learning-rate",
            data + "method: {name: data-free, synthesis: {method: fast-dfkd, noise-rate: 0.1}}"
        ),
        ("hard", "label-weight", data + "method: {name: distillation, hard: 0.1}"),
        ("soft", "distillation-weight", data + "method: {name: distillation, soft: 0.1}"),
        (
            "standardise", "standardise-logits",
            data + "method: {name: distillation, standardise: true}"
        ),
        (
            "standardise", "standardise-logits",
            data + "method: {name: data-free, standardise: true}"
        ),
        ("batches", "batches-per-epoch", synthesis("method: nayer, batches: 1")),
        ("label", "label-weight", synthesis("method: nayer, label: 1")),
        ("statistics", "bn-weight", synthesis("method: nayer, statistics: 1")),
        ("momentum", "bn-momentum", synthesis("method: nayer, momentum: 1")),
        ("adversarial", "adversarial-weight", synthesis("method: nayer, adversarial: 1")),
        ("noise", "latent-dim", synthesis("method: nayer, noise: 1")),
        ("life", "generator-epochs", synthesis("method: nayer, life: 1")),
        ("redraw", "resample", synthesis("method: nayer, redraw: 1")),
        ("variation", "tv-weight", synthesis("method: deep-inversion, variation: 1")),
        ("norm", "l2-weight", synthesis("method: deep-inversion, norm: 1")),
        ("competition", "competition-weight", synthesis("method: deep-inversion, competition: 1")),
        ("activation", "activation-weight", synthesis("method: dafl, activation: 1")),
        ("entropy", "entropy-weight", synthesis("method: dafl, entropy: 1")),
        ("reset", "reset-epoch", synthesis("method: fast-dfkd, reset: 1")),
        ("cap", "max-images", synthesis("method: nayer, cap: 1")),
        ("held-out", "held-out-batches", synthesis("method: nayer, held-out: 1")),
        ("steps", "steps-per-epoch", data + "method: {name: data-free, steps: 4}"),
        ("start", "initial-weight", mixing("start: 1")),
        ("every", "meta-interval", mixing("every: 1")),
        ("group", "batches-per-group", mixing("group: 1")),
        ("repeats", "meta-repeats", mixing("repeats: 1")),
        ("step", "meta-step-size", mixing("step: 1")),
        ("balanced", "balanced-validation", mixing("balanced: 1")),
        ("look-ahead", "virtual-step", mixing("look-ahead: 1")),
        ("also", "extra-losses", mixing("also: 1")),
        ("epochs", "snapshot-epochs", mixing("teachers: [{epochs: [1]}]")),
        (
            "spread", "angle-std",
            "data: {kind: spiral, spread: 0.1}\nmodel: {name: mlp}\nmethod: {name: cross-entropy}"
        ),
        (
            "area", "scale",
            data
                + "method: {name: cross-entropy}\nrelation: {encoder: {views: {area: [0.5, 1]}}}"
        ),
        (
            "deviation", "std",
            none
                + "method: {name: data-free, teacher: {file: t}, normalisation: {mean: [0], deviation: [1]}}"
        ),
    ]

    @Test(arguments: keys) func oldKeys(_ old: String, _ new: String, _ recipe: String) {
        let message = failure {
            try RecipeFile(text: recipe, file: "r.yaml").decoded(Recipe.self)
        }
        #expect(
            message.hasSuffix(#": unknown key "\#(old)" (it is called \#(new) now)"#), "\(message)")
    }

    static let values: [(old: String, new: String, recipe: String)] = [
        (
            "suspicious", "likely-wrong",
            data + "method: {name: cross-entropy}\nrelation: {rows: suspicious}"
        ),
        (
            "average-last", "ema-last",
            data + "method: {name: self-distillation, weights: average-last}"
        ),
        (
            "average-selected", "ema-selected",
            data + "method: {name: distillation, teacher: {weights: average-selected}}"
        ),
    ]

    @Test(arguments: values) func oldValues(_ old: String, _ new: String, _ recipe: String) {
        let message = failure {
            try RecipeFile(text: recipe, file: "r.yaml").decoded(Recipe.self)
        }
        #expect(
            message.hasSuffix(#": unknown word "\#(old)" (it is called \#(new) now)"#), "\(message)"
        )
    }

    /// Also where `--set` or a search brings them.
    @Test func everywhere() {
        let plain = Self.data + "method: {name: cross-entropy}\n"
        #expect(
            failure {
                try RecipeFile(text: plain, file: "r.yaml").setting("training.average=0.5")
                    .decoded(Recipe.self)
            } == #"r.yaml, training.average: unknown key "average" (it is called ema now)"#)
        let rows = plain + "rows: [{name: a, search: {training.average: [0.5, 0.9]}}]\n"
        #expect(
            failure { try ComparisonFile([RecipeFile(text: rows, file: "c.yaml")]) }
                == #"c.yaml, training.average: unknown key "average" (it is called ema now)"#)
    }
}
