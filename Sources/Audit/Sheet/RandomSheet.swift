import Diagnostics
import Files
import Randomness

/// Samples drawn at random for a person to judge: is the given label right?
///
/// Every set of so many samples is equally likely, whatever the audit thinks of them, so what is found among them
/// is true of all of them without bias. The sheet says nothing of the audit's own opinion, which would sway the
/// judge.
public struct RandomSheet: Equatable, Sendable {
    /// The drawn samples, ascending.
    public let samples: [Int]

    /// - Parameters:
    ///   - samples: to draw from, all different.
    ///   - count: how many; all where there are fewer.
    public init(from samples: [Int], count: Int, seed: UInt64) {
        let ranked = samples.map { sample in
            var draw = Draw(seed: seed, .audit, epoch: WrongLabelModel.Stream.sheet, sample: sample)
            return (rank: draw.next(), sample: sample)
        }.sorted { ($0.rank, $0.sample) < ($1.rank, $1.sample) }
        self.samples = ranked.prefix(count).map(\.sample).sorted()
    }

    /// What a sample is called, beside its row.
    public struct Contents: Sendable {
        /// The user's own name of each sample, by row.
        public var ids: [String]?
        /// Text or file of each sample, by row, and what to call the column.
        public var content: (column: String, values: [String])?
        /// The given label of each sample, in words, by row.
        public var given: [String]

        public init(
            given: [String], ids: [String]? = nil,
            content: (column: String, values: [String])? = nil
        ) {
            (self.given, self.ids, self.content) = (given, ids, content)
        }
    }

    /// The sheet as CSV: `sample`, what it is, `given`, and two empty columns to fill in: `verdict` (right, wrong or
    /// unsure) and `label`, the right one where somebody knows it.
    public func csv(_ contents: Contents) -> [UInt8] {
        let names =
            ["sample"] + (contents.ids == nil ? [] : ["id"])
            + (contents.content.map { [$0.column] } ?? []) + ["given", "verdict", "label"]
        return CSV.file(
            names,
            samples.lazy.map { i in
                var cells: [String?] = ["\(i)"]
                if let ids = contents.ids { cells.append(ids[i]) }
                if let content = contents.content { cells.append(content.values[i]) }
                return cells + [contents.given[i], nil, nil]
            })
    }

    public func write(_ contents: Contents, to path: String) throws(Problem) {
        try LocalFileSystem().replace(path, with: csv(contents))
    }
}
