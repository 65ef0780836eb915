import Diagnostics

// The sentences of the `Exports` target. Tests pin them.

extension Problem {
    static func notExportable(_ reason: String) -> Problem {
        Problem(
            .data, "the network cannot be exported", found: oneLine(reason),
            hint: "give a run folder, or the weights in it")
    }

    /// A file that does not compute what the network does: a fault of ours, and nothing is written.
    static func exportDiffers(_ what: String, _ found: String, limit: String) -> Problem {
        Problem(
            .internal, "the exported network computes something else", at: Place(detail: [what]),
            found: found, expected: limit)
    }

    static func notInRunner(_ reason: String) -> Problem {
        Problem(.internal, "the graph cannot be computed here", found: oneLine(reason))
    }
}
