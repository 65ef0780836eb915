import Datasets
import Diagnostics
import Training

/// The samples of a recipe that an audit judges, with their given labels.
struct AuditSamples {
    /// Samples that are judged together.
    struct Part {
        /// Rows of the data as read, ascending; of a test set of its own, rows of that.
        let rows: [Int]
        /// Given labels.
        let labels: [Int]
        /// True labels; nil where they are not known.
        let truth: [Int]?
        /// `train`, `validation`, `test`, of the recipe without folds.
        let splits: [String]
        /// Samples that belong together have the same number.
        let groups: [Int]
        /// Of all rows.
        let data: Dataset

        var count: Int { rows.count }

        /// Where a row stands among the samples; −1 for those that are not.
        var places: [Int] {
            var places = [Int](repeating: -1, count: data.count)
            for (place, row) in rows.enumerated() { places[row] = place }
            return places
        }

        /// What each row of the data is, where that is a text.
        var content: (column: String, values: [String])? {
            guard case .text(let texts, _) = data.features else { return nil }
            return ("text", (0..<texts.count).map { texts[$0] })
        }

        var features: Dataset { data.subset(rows) }
    }

    let learning: Part
    /// Nil where no sample is for the test alone.
    let test: Part?
    /// What the recipe's own label file says of the data as read.
    let edits: LabelEdits
    let weights: SampleWeights?
    let noise: NoisyLabels
    let knowsTruth: Bool
    let warnings: [String]

    var classNames: [String] { learning.data.classNames }
    var classes: Int { learning.data.classCount }

    /// - Parameter ownTest: whether a test set is judged that the data has of its own.
    init(_ recipe: Recipe, files: DataFiles, ownTest: Bool = true) throws(Problem) {
        var recipe = recipe
        recipe.data.heldOut = nil
        // What is given is in question, also where the recipe would put true labels in its place.
        (recipe.data.cleanValidation, recipe.data.cleanMetaValidation) = (false, nil)
        let prepared = try PreparedData(recipe, files: files)
        guard !prepared.isPlaceholder else { throw .nothingToAudit(recipe.data.kind) }
        let source = try files.load(recipe.data.source)
        let data = source.learning
        edits =
            try recipe.labels.map { (file) throws(Problem) in try LabelEdits(file, for: data) }
            ?? LabelEdits()
        weights = try recipe.weights.map { (file) throws(Problem) in
            try SampleWeights(file, for: data)
        }
        noise = prepared.noise
        knowsTruth = prepared.knowsClean
        // What is unknown of the noise is what is asked; a test set that nobody looks at is nobody's worry.
        warnings = prepared.warnings.filter {
            $0 != PreparedData.unknownNoise && (ownTest || !$0.contains("test s"))
        }

        var split = [String?](repeating: nil, count: prepared.learning.count)
        for (name, members) in [
            ("train", prepared.split.train), ("validation", prepared.split.validation),
            ("validation", prepared.metaValidation),
        ] { for member in members { split[member] = name } }
        let members = split.indices.filter { split[$0] != nil }
            .sorted { prepared.origins[$0] < prepared.origins[$1] }
        guard !members.isEmpty else { throw .nothingToAudit(recipe.data.kind) }
        let truth = prepared.knowsClean ? prepared.learning.clean ?? prepared.learning.labels : nil
        learning = Part(
            rows: members.map { prepared.origins[$0] },
            labels: members.map { prepared.learning.labels[$0] },
            truth: truth.map { truth in members.map { truth[$0] } },
            splits: members.map { split[$0]! },
            groups: AuditSamples.groups(prepared.learning, members), data: data)
        let isOwn = prepared.split.test.isEmpty
        guard !prepared.testMembers.isEmpty, !isOwn || ownTest else {
            test = nil
            return
        }
        func row(_ member: Int) -> Int { isOwn ? member : prepared.origins[member] }
        let tested = prepared.testMembers.sorted { row($0) < row($1) }
        let labels = tested.map { prepared.test.labels[$0] }
        test = Part(
            rows: tested.map(row), labels: labels, truth: prepared.knowsClean ? labels : nil,
            splits: tested.map { _ in "test" },
            groups: AuditSamples.groups(prepared.test, tested),
            data: isOwn ? source.test ?? prepared.test : data)
    }

    /// Samples with equal features or of one group have the same number.
    private static func groups(_ data: Dataset, _ members: [Int]) -> [Int] {
        var sets = DisjointSets(count: data.count)
        for (i, first) in data.firstOccurrences().enumerated() { sets.join(i, first) }
        if let groups = data.groups {
            var first: [Int: Int] = [:]
            for (i, group) in groups.enumerated() {
                if let other = first[group] { sets.join(i, other) } else { first[group] = i }
            }
        }
        return members.map { sets.find($0) }
    }
}

/// Elements that are joined step by step; each set is named by its smallest element.
struct DisjointSets {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    mutating func find(_ element: Int) -> Int {
        var root = element
        while parents[root] != root { root = parents[root] }
        var next = element
        while parents[next] != root { (next, parents[next]) = (parents[next], root) }
        return root
    }

    mutating func join(_ a: Int, _ b: Int) {
        let (x, y) = (find(a), find(b))
        parents[max(x, y)] = min(x, y)
    }
}
