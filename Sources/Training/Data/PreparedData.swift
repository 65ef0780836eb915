import Datasets
import Diagnostics

/// The samples of a run, split and with noisy labels: what every phase of it learns from.
///
/// Training and validation labels are noisy (unless the recipe keeps a validation split clean), test
/// labels never are changed.
public struct PreparedData: Sendable {
    /// Training and validation samples, with the given (noisy) labels; their clean ones beside.
    public let learning: Dataset
    /// The training split of a phase may be a part of the run's.
    public internal(set) var split: Split
    /// Held out of the training split for methods that learn how to learn; disjoint from the
    /// validation split, which selects.
    public let metaValidation: [Int]
    /// Neither trained on nor validated on: a fold of all samples but those of the test split.
    public let heldOut: [Int]
    /// The test samples; `testMembers` are those of it that count.
    public let test: Dataset
    public let testMembers: [Int]
    public internal(set) var normalisation: Normalisation
    public let noise: NoisyLabels
    /// What a file puts in the place of given labels, by index of `learning`.
    let edits: LabelEdits
    /// How much the loss of each sample of `learning` counts; nil: all alike.
    public let weights: SampleWeights?
    /// Where the samples of `learning` are in the data as read.
    public let origins: [Int]
    /// Of the inputs of instance-dependent noise: the same whatever is held out or left out.
    private let noiseNormalisation: Normalisation
    /// SHA-256 over the contents of the learning and the test set before noise.
    public let sha256: String
    /// What a reader of the results should know of the data.
    public let warnings: [String]
    /// In the files as they were given, before splitting and noise: true if they name clean labels.
    public let knowsClean: Bool
    /// Nothing of it is real: blank images that stand for shape and classes, where a method makes its
    /// own samples.
    public let isPlaceholder: Bool

    /// Of the samples, the labels and the weights that are learnt from.
    public var identity: String {
        samplesIdentity + noise.sha256 + (weights.map(\.sha256) ?? "")
    }
    /// The same where no label enters.
    public var samplesIdentity: String { sha256 + edits.hashOfLeftOut }
    public var classCount: Int { learning.classCount }
    public var sampleShape: [Int] { learning.sampleShape }

    /// The data of a recipe.
    ///
    /// - Parameter seed: instead of the recipe's.
    public init(
        _ recipe: Recipe, seed: UInt64? = nil, files: DataFiles = DataFiles()
    ) throws(Problem) {
        try self.init(
            recipe.data, noise: recipe.noise, labels: recipe.labels, weights: recipe.weights,
            seed: seed ?? recipe.seed, files: files)
    }

    /// Reads, limits, splits, corrupts and edits labels, in this order.
    ///
    /// Splits and folds are stratified by the labels as read: a file's labels move no sample from one to the
    /// other.
    ///
    /// - Parameters:
    ///   - labels: of a file, in the place of given ones, those of `noise` too.
    ///   - weights: of a file.
    ///   - files: readers of earlier preparations, so that a comparison over seeds reads and
    ///     hashes each file once.
    public init(
        _ options: DataOptions, noise: LabelNoise, labels labelFile: SampleFileOptions? = nil,
        weights weightFile: SampleFileOptions? = nil, seed: UInt64, files: DataFiles = DataFiles()
    ) throws(Problem) {
        let source = try files.load(options.source)
        var learning = source.learning
        isPlaceholder = !options.source.hasSamples
        if isPlaceholder {
            for (key, isGiven) in [
                ("labels", labelFile != nil), ("weights", weightFile != nil),
                ("data.held-out", options.heldOut != nil),
            ] where isGiven { throw .needsSamples(key, kind: options.kind) }
            (edits, weights, origins, heldOut) = (LabelEdits(), nil, Array(0..<learning.count), [])
            let all = Array(0..<learning.count)
            split = Split(train: all, validation: all, test: [])
            (metaValidation, testMembers) = ([], all)
            (self.learning, test) = (learning, learning)
            normalisation = .none(for: learning)
            noiseNormalisation = normalisation
            self.noise = LabelNoise.measured(
                given: all, clean: nil, classCount: all.count, classNames: learning.classNames,
                ids: all)
            (sha256, knowsClean) = (source.sha256, false)
            warnings = source.warnings + [PreparedData.noTestData]
            return
        }
        var origins = Array(0..<learning.count)
        if let limit = options.limit {
            guard limit <= learning.count else { throw .limitTooLarge(limit, learning.count) }
            if limit < learning.count {
                origins = try Split.make(
                    learning, validation: 0, test: learning.count - limit, seed: seed
                ).train
                learning = learning.subset(origins)
            }
        }
        self.origins = origins
        let parts = try SampleParts(
            learning, options, hasOwnTest: source.test != nil, seed: seed)
        // Of the test split nothing is changed.
        let said = try labelFile.map { (file) throws(Problem) in
            try LabelEdits(file, for: source.learning).subset(origins)
        }
        edits = (said ?? LabelEdits()).without(parts.split.test)
        weights = try weightFile.map { (file) throws(Problem) in
            try SampleWeights(file, for: source.learning).subset(origins)
        }
        let used = try parts.without(edits.leftOut, file: labelFile?.file ?? "")
        (split, metaValidation, heldOut) = (used.split, used.metaValidation, used.heldOut)
        normalisation = try Normalisation.fit(learning, members: split.train)
        noiseNormalisation =
            parts.whole == split.train
            ? normalisation : try Normalisation.fit(learning, members: parts.whole)
        if let weights, weights.normalised(of: split.train) == nil {
            throw .weightsOfNothing(weightFile?.file ?? "")
        }
        // Where the tool holds out the test set itself, noise must not reach it.
        let cleanMeta = options.cleanMetaValidation ?? false
        let noisyMembers =
            (parts.split.train + (options.cleanValidation ? [] : parts.split.validation)
            + (cleanMeta ? [] : parts.metaValidation) + parts.heldOut).sorted()
        let truth = learning.clean ?? learning.labels
        var features: LabelNoise.Features?
        if let scale = noise.needs {
            guard !learning.isText else { throw .noiseOnText(noise.kind.rawValue) }
            features = try PreparedData.features(
                of: learning, noisyMembers, scale, noiseNormalisation)
        }
        let names = learning.classNames
        var corrupted: NoisyLabels
        var labels = learning.labels
        knowsClean = learning.clean != nil || noise.kind != .clean || options.source.labelsAreTrue
        if noise.kind == .clean {
            // Nothing injected: the labels are as they came, and where clean ones are known beside
            // them, their noise is measured.
            corrupted = LabelNoise.measured(
                given: noisyMembers.map { labels[$0] },
                clean: knowsClean ? noisyMembers.map { truth[$0] } : nil,
                classCount: names.count, classNames: names, ids: noisyMembers)
        } else {
            corrupted = try noise.apply(
                labels: noisyMembers.map { truth[$0] }, classCount: names.count, classNames: names,
                features: features, ids: noisyMembers, total: learning.count, seed: seed)
            for (member, label) in zip(noisyMembers, corrupted.labels) { labels[member] = label }
        }
        corrupted = corrupted.edited(by: edits)
        for (member, label) in edits.labels { labels[member] = label }
        if options.cleanValidation {
            for member in split.validation { labels[member] = truth[member] }
        }
        if cleanMeta { for member in metaValidation { labels[member] = truth[member] } }
        for member in split.test { labels[member] = truth[member] }
        let relabelled = try learning.relabelled(labels)
        self.learning = relabelled
        self.noise = corrupted
        if let own = source.test {
            // Scored against clean labels wherever they are known.
            test = try own.clean.map { (clean) throws(Problem) in try own.relabelled(clean) } ?? own
            testMembers = Array(0..<own.count)
        } else {
            test = try relabelled.relabelled(truth)
            testMembers = split.test
        }
        sha256 = source.sha256
        warnings =
            source.warnings + corrupted.warnings
            + PreparedData.smallClasses(
                [
                    ("training", learning, split.train),
                    ("validation", learning, split.validation), ("test", test, testMembers),
                ], known: learning.classCounts)
            + PreparedData.untouched(said, parts.split.test, file: labelFile?.file ?? "")
            + (knowsClean ? [] : [PreparedData.unknownNoise])
    }

    /// Said wherever accuracies are, when nobody knows which labels are right.
    public static let unknownNoise =
        "no clean label is known: the noise of the labels is unknown, and accuracies count agreement with "
        + "test labels that may be as noisy as the training labels"

    /// The scores of a run whose data is blank mean something else.
    static let noTestData =
        "no test data: what tables call accuracy is agreement with the teacher on held-out "
        + "synthetic images"

    /// Fewer samples of a class than this say little about it.
    static let fewSamples = 5

    /// One sentence for each part of the split in which some class has too few samples, or none (in
    /// a test set of its own). Of classes that nothing is learnt of something else is said.
    ///
    /// - Parameter known: the number of samples of each class in all that is learnt from.
    private static func smallClasses(
        _ parts: [(name: String, data: Dataset, members: [Int])], known: [Int]
    ) -> [String] {
        parts.compactMap { name, data, members in
            var counts = [Int](repeating: 0, count: data.classCount)
            for member in members { counts[data.labels[member]] += 1 }
            let small = counts.indices.filter {
                counts[$0] < fewSamples && (counts[$0] > 0 || known[$0] > 0)
            }
            guard !small.isEmpty else { return nil }
            let shown = small.prefix(5).map {
                "\(Problem.oneLine(data.classNames[$0], limit: 40)) \(counts[$0])"
            }
            return
                "fewer than \(fewSamples) samples of a class in the \(name) split, which say little about "
                + "it: " + shown.joined(separator: ", ") + (small.count > 5 ? ", …" : "")
        }
    }

    /// Given labels of the learning set for another annotator of the same kind: the same noise drawn
    /// once more for the training members, everything else as it is. Noise that is not drawn (a file,
    /// none) stays the same, and so do labels of a file.
    func redrawnLabels(seed: UInt64) throws(Problem) -> [Int] {
        var labels = learning.labels
        guard noise.noise.kind != .clean else { return labels }
        let truth = learning.clean ?? labels
        var features: LabelNoise.Features?
        if let scale = noise.noise.needs {
            features = try PreparedData.features(
                of: learning, noise.ids, scale, noiseNormalisation)
        }
        let drawn = try noise.noise.apply(
            labels: noise.ids.map { truth[$0] }, classCount: classCount,
            classNames: learning.classNames, features: features, ids: noise.ids,
            total: learning.count, seed: seed)
        let isTraining = Set(split.train)
        for (member, label) in zip(noise.ids, drawn.labels) where isTraining.contains(member) {
            labels[member] = edits.labels[member] ?? label
        }
        return labels
    }

    /// What instance-dependent noise looks at: inputs as networks see them, or, for its
    /// compatibility variant, as they are in the file.
    private static func features(
        of data: Dataset, _ members: [Int], _ scale: LabelNoise.Features.Scale,
        _ normalisation: Normalisation
    ) throws(Problem) -> LabelNoise.Features {
        let plan = try BatchPlan(
            data, members: members, batchSize: members.count, seed: 0,
            normalisation: scale == .raw ? nil : normalisation, shuffled: false)
        var values = plan.batch(epoch: 0, step: 0).features
        // Without normalisation a plan gives images in [0, 1].
        if scale == .raw, data.isImages { for i in values.indices { values[i] *= 255 } }
        return LabelNoise.Features(values: values, dimension: data.sampleSize)
    }
}
