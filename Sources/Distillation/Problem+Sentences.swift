import Diagnostics

extension Problem {
    /// Some divergences are infinite for a one-hot label; the others then are cross-entropy or close to it.
    package static func divergenceOfHardLabels() -> Problem {
        Problem(
            .data, "a divergence needs soft labels", at: Place(detail: ["method.divergence"]),
            found: "hard ones", expected: "labels: soft and finite beta")
    }

    /// Label smoothing beside a loss that has its own, or none.
    package static func smoothingTwice(loss: String) -> Problem {
        Problem(
            .data, "key does not go with method.loss", at: Place(detail: ["method.smoothing"]),
            found: "loss \(loss)", expected: "loss: cross-entropy")
    }

    static func lossNotFinite(_ loss: Double, index: Int) -> Problem {
        Problem(
            .data, "a loss is not finite", at: Place(detail: ["sample \(index)"]),
            found: "\(loss)", expected: "a number that can be compared with others")
    }

    static func singular(_ lambda: Double, _ reason: String) -> Problem {
        Problem(
            .data, "the linear classifier's equations cannot be solved", found: reason,
            hint: "lambda is \(lambda): take a larger one, or standardise the features")
    }
}

extension Problem {
    static func keyOfOtherSynthesis(_ key: String, _ method: SynthesisOptions.Method) -> Problem {
        Problem(
            .data, "key does not go with method.synthesis.method",
            at: Place(detail: ["method.synthesis.\(key)"]), found: "method \(method.rawValue)")
    }
}
