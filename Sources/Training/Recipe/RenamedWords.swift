/// Keys and values of recipes that had another name in earlier versions: a recipe that has one is
/// refused, and the message says what it is called now.
enum RenamedWords {
    /// By the old name of a key, the names that took its place; which one is meant depends on the part
    /// of the recipe.
    static let keys: [String: [String]] = [
        "average": ["ema"], "use-average": ["use-ema"], "deviation": ["std"],
        "rate": ["learning-rate"], "noise-rate": ["noise-learning-rate"],
        "hard": ["label-weight"], "soft": ["distillation-weight"],
        "standardise": ["standardise-logits"],
        // data, relation.encoder.views
        "spread": ["angle-std"], "area": ["scale"],
        // method.synthesis
        "batches": ["batches-per-epoch"], "label": ["label-weight"], "statistics": ["bn-weight"],
        "momentum": ["bn-momentum"], "adversarial": ["adversarial-weight"],
        "noise": ["latent-dim"], "life": ["generator-epochs"], "redraw": ["resample"],
        "variation": ["tv-weight"], "norm": ["l2-weight"], "competition": ["competition-weight"],
        "activation": ["activation-weight"], "entropy": ["entropy-weight"],
        "reset": ["reset-epoch"], "cap": ["max-images"], "held-out": ["held-out-batches"],
        // method adaptive-mixing
        "start": ["initial-weight"], "every": ["meta-interval"], "group": ["batches-per-group"],
        "repeats": ["meta-repeats"], "step": ["meta-step-size"],
        "balanced": ["balanced-validation"], "look-ahead": ["virtual-step"],
        "also": ["extra-losses"], "epochs": ["snapshot-epochs"],
        // method data-free
        "steps": ["steps-per-epoch"],
    ]

    /// By the old name of a value, the one that took its place.
    static let values: [String: String] = [
        "average-last": "ema-last", "average-selected": "ema-selected",
        "suspicious": "likely-wrong",
    ]

    /// - Parameter known: the keys that may stand in its place.
    static func key(_ old: String, among known: [String]) -> String? {
        keys[folded(old)]?.first(where: known.contains)
    }

    /// - Parameter known: the values that may stand in its place.
    static func value(_ old: String, among known: [String]) -> String? {
        values[folded(old)].flatMap { known.contains($0) ? $0 : nil }
    }

    static func hint(_ new: String) -> String { "it is called \(new) now" }

    private static func folded(_ word: String) -> String {
        word.lowercased().replacing("_", with: "-")
    }
}
