import Diagnostics

/// Sentences of relations. Tests pin them.
extension Problem {
    private static func key(_ path: String) -> Place { Place(detail: [path]) }

    static func relationsNeedImages(_ name: String) -> Problem {
        Problem(
            .data, "relations are learnt from images only", at: key("relation"),
            found: "\(name), which has none")
    }

    static func relationsNeedSamples() -> Problem {
        Problem(
            .data, "relations are between samples", at: key("relation"),
            found: "method data-free, whose student sees none",
            expected: "a method that learns from labelled samples")
    }

    static func relationsNeedLosses(_ target: String) -> Problem {
        Problem(
            .data, "relations cannot guide this method", at: Place(detail: ["relation"]),
            found: "steps of its own (\(target))", expected: "a method that only has losses")
    }
}
