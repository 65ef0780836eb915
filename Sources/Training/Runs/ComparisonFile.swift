import Datasets
import Diagnostics
import Yams

/// What `limbeck compare` is asked for: rows (methods) × label noise × seeds.
///
/// Either one file with the key `rows`: everything beside `rows`, `seeds` and `noises` is the part
/// that all rows share, and each row is laid over it (a row with a `noise` of its own keeps it); or several plain recipes, each of which is a row.
///
///     data: {kind: embedded}
///     noise: {kind: symmetric, rate: 0.4}
///     model: {name: lenet5}
///     seeds: [0, 1, 2]
///     rows:
///       - {name: cross-entropy, method: {name: cross-entropy}}
///       - name: regularised
///         method: {name: cross-entropy}
///         search: {optimizer.weight-decay: [0.001, 0.005]}
///
/// `search` tries every combination of the listed values and keeps, per seed, the one that is best
/// on the validation split; with `search-on: first-phase` only the first phase is searched and its
/// choice kept for the later ones.
public struct ComparisonFile {
    public enum SearchScope: String, Codable, Sendable, CaseIterable {
        case run
        case firstPhase = "first-phase"
    }

    public struct Row {
        public var name: String
        /// The recipe of each setting of the search; one without a search.
        public var candidates: [Candidate]
        public var scope: SearchScope
        /// Whether it names a label noise of its own, which then stands instead of those of `noises`: a row
        /// on clean labels frames the others.
        public var hasOwnNoise = false
    }

    public struct Candidate {
        /// `optimizer.weight-decay=0.001, …`; empty without a search.
        public var setting: String
        public var file: RecipeFile
    }

    /// More would take weeks, and checking them all would take minutes.
    static let rowLimit = 200
    static let settingLimit = 2000

    public private(set) var rows: [Row] = []
    public var seeds: [UInt64] = [0, 1, 2]
    /// Where it lists several.
    public private(set) var noises: [LabelNoise]?

    /// - Parameter overrides: `key.path=value` of the command line, laid over every row.
    public init(_ files: [RecipeFile], overrides: [String] = []) throws(Problem) {
        for file in files {
            if file.has("rows") {
                try addRows(of: file, overrides)
            } else {
                rows.append(try ComparisonFile.row(file, overrides))
            }
        }
        var names: Set<String> = []
        for row in rows where !names.insert(row.name).inserted {
            throw .twoRowsOfOneName(files[0].file, row.name)
        }
    }

    private mutating func addRows(of file: RecipeFile, _ overrides: [String]) throws(Problem) {
        guard case .sequence(let list)? = file.part("rows"), !list.isEmpty else {
            throw .notComparison(file.file)
        }
        if let node = file.part("seeds") {
            seeds = try StrictDecoder(file: file.file, prefix: ["seeds"]).decode(
                [UInt64].self, from: node)
            guard !seeds.isEmpty, Set(seeds).count == seeds.count, seeds.count <= 1000 else {
                throw Problem(
                    .data, "value out of range", at: .file(file.file, "seeds"),
                    expected: "1 to 1000 different whole numbers")
            }
        }
        if let node = file.part("noises") {
            noises = try StrictDecoder(file: file.file, prefix: ["noises"])
                .decode([LabelNoise].self, from: node)
            guard noises!.count > 0, noises!.count <= 100 else {
                throw Problem(
                    .data, "value out of range", at: .file(file.file, "noises"),
                    found: "\(noises!.count) entries", expected: "1 to 100")
            }
        }
        guard list.count <= ComparisonFile.rowLimit else {
            throw .tooManyRows(file.file, list.count, limit: ComparisonFile.rowLimit)
        }
        let base = file.without("rows", "seeds", "noises")
        for (i, node) in list.enumerated() {
            guard case .mapping = node else {
                throw Problem(
                    .data, "wrong value", at: .file(file.file, "rows.\(i)"), expected: "a mapping")
            }
            var row = try ComparisonFile.row(try base.merging(node), overrides)
            if case .mapping(let keys) = node { row.hasOwnNoise = keys["noise"] != nil }
            rows.append(row)
            let settings = rows.reduce(0) { $0 + $1.candidates.count }
            guard settings <= ComparisonFile.settingLimit else {
                throw .tooManySettings(file.file, settings, limit: ComparisonFile.settingLimit)
            }
        }
    }

    private static func row(_ file: RecipeFile, _ overrides: [String]) throws(Problem) -> Row {
        var file = file
        for assignment in overrides { file = try file.setting(assignment) }
        let plain = file.without("search", "search-on")
        let recipe = try plain.decoded(Recipe.self)
        var candidates = [Candidate(setting: "", file: plain)]
        var scope = SearchScope.run
        if let node = file.part("search-on") {
            scope = try StrictDecoder(file: file.file, prefix: ["search-on"])
                .decode(SearchScope.self, from: node)
        }
        if let search = file.part("search") {
            guard case .mapping(let keys) = search else {
                throw Problem(
                    .data, "wrong value", at: .file(file.file, "search"),
                    expected: "key.path: [values]")
            }
            for (key, values) in keys {
                guard let path = key.string, case .sequence(let list) = values, !list.isEmpty else {
                    throw Problem(
                        .data, "wrong value", at: .file(file.file, "search.\(key.string ?? "?")"),
                        expected: "a list of values")
                }
                guard file.isKeyPath(path) else {
                    throw Problem(
                        .data, "not a key path", at: .file(file.file, "search"),
                        found: "\"\(Problem.oneLine(path, limit: 60))\"",
                        expected: "one like optimizer.learning-rate")
                }
                let count = candidates.count * list.count
                guard count <= 200 else { throw .searchTooLarge(recipe.name, count) }
                var next: [Candidate] = []
                for candidate in candidates {
                    for value in list {
                        let word = value.string ?? "…"
                        next.append(
                            Candidate(
                                setting: (candidate.setting.isEmpty ? "" : candidate.setting + ", ")
                                    + "\(path)=\(word)",
                                file: try candidate.file.setting(path, to: value)))
                    }
                }
                candidates = next
            }
            // A misspelt path would otherwise be found only when its turn comes.
            for candidate in candidates { _ = try candidate.file.decoded(Recipe.self) }
        }
        return Row(name: recipe.name, candidates: candidates, scope: scope)
    }
}
