import Datasets
import Diagnostics

/// Which samples a run trains on, validates on, tests on, and leaves out.
struct SampleParts {
    var split: Split
    var metaValidation: [Int]
    /// The fold that is left out; empty where there is none.
    var heldOut: [Int]
    /// The training split as it is where nothing is held out.
    let whole: [Int]

    /// - Parameter hasOwnTest: whether the data has a test set beside `data`.
    init(
        _ data: Dataset, _ options: DataOptions, hasOwnTest: Bool, seed: UInt64
    ) throws(Problem) {
        split = try Split.make(
            data, validation: options.validation, test: hasOwnTest ? 0 : options.test, seed: seed)
        (metaValidation, heldOut) = ([], [])
        if let share = options.metaValidation {
            let rest = split.train
            let count = Int((share * Double(data.count)).rounded())
            let inner = try Split.make(data.subset(rest), validation: count, test: 0, seed: seed)
            split.train = inner.train.map { rest[$0] }
            metaValidation = inner.validation.map { rest[$0] }
        }
        whole = split.train
        if let fold = options.heldOut { try leaveOut(fold, data, options, seed: seed) }
    }

    /// Leaves one fold of everything but the test split out, and parts the rest again as before.
    private mutating func leaveOut(
        _ fold: HeldOutFold, _ data: Dataset, _ options: DataOptions, seed: UInt64
    ) throws(Problem) {
        let pool = (split.train + split.validation + metaValidation).sorted()
        heldOut = try Folds(data, members: pool, count: fold.of, seed: seed).parts[fold.fold - 1]
        let isHeldOut = Set(heldOut)
        let rest = pool.filter { !isHeldOut.contains($0) }
        // Shares are of all samples, the test split's too.
        func count(_ share: Double) -> Int {
            let whole = share * Double(data.count)
            return max(1, Int((whole * Double(rest.count) / Double(pool.count)).rounded()))
        }
        do {
            let outer = try Split.make(
                data.subset(rest), validation: count(options.validation), test: 0, seed: seed)
            let (train, validation) = (
                outer.train.map { rest[$0] }, outer.validation.map { rest[$0] }
            )
            var meta: [Int] = []
            var remaining = train
            if let share = options.metaValidation {
                let inner = try Split.make(
                    data.subset(train), validation: count(share), test: 0, seed: seed)
                meta = inner.validation.map { train[$0] }
                remaining = inner.train.map { train[$0] }
            }
            (split.train, split.validation, metaValidation) = (remaining, validation, meta)
        } catch {
            // A class with too few samples for one split more: what is left of the first one is taken.
            remove(isHeldOut)
        }
        guard !split.train.isEmpty, !split.validation.isEmpty else {
            throw .foldLeavesNothing(fold, data.name, isTrain: split.train.isEmpty)
        }
    }

    private mutating func remove(_ samples: Set<Int>) {
        split.train.removeAll(where: samples.contains)
        split.validation.removeAll(where: samples.contains)
        metaValidation.removeAll(where: samples.contains)
    }

    /// Without samples that nothing is to be learnt from or chosen by. Those held out are judged all the same.
    ///
    /// - Parameter file: which names them.
    func without(_ samples: Set<Int>, file: String) throws(Problem) -> SampleParts {
        guard !samples.isEmpty else { return self }
        var rest = self
        rest.remove(samples)
        for (part, before, after) in [
            ("training", split.train, rest.split.train),
            ("validation", split.validation, rest.split.validation),
            ("meta-validation", metaValidation, rest.metaValidation),
        ] where after.isEmpty && !before.isEmpty {
            throw .labelsLeaveNothing(file, part, before.count)
        }
        return rest
    }
}

extension PreparedData {
    /// Where a sample is in the data as read; one of the data's own test set, in that.
    func index(ofMember member: Int, _ role: SampleRole) -> Int {
        role == .test && split.test.isEmpty ? member : origins[member]
    }

    /// What is said of rows that change nothing.
    static func untouched(_ edits: LabelEdits?, _ test: [Int], file: String) -> [String] {
        guard let edits else { return [] }
        let count = test.count { edits.labels[$0] != nil || edits.leftOut.contains($0) }
        guard count > 0 else { return [] }
        return [
            "\(count) rows of \(Problem.oneLine(file, limit: 60)) are of test samples, whose labels are "
                + "never changed"
        ]
    }
}

extension Problem {
    static func foldLeavesNothing(_ fold: HeldOutFold, _ name: String, isTrain: Bool) -> Problem {
        Problem(
            .data, "nothing is left to \(isTrain ? "train" : "validate") on",
            at: Place(detail: ["data.held-out"]),
            found: "fold \(fold.fold) of \(fold.of) of \(oneLine(name, limit: 40)) held out",
            hint: "more folds, or a larger data.validation")
    }
    static func labelsLeaveNothing(_ file: String, _ part: String, _ count: Int) -> Problem {
        Problem(
            .data, "every \(part) sample is left out", at: .file(file), found: "\(count) samples",
            expected: "at least one that is kept")
    }
    static func weightsOfNothing(_ file: String) -> Problem {
        Problem(
            .data, "no training sample has a weight above 0", at: .file(file),
            expected: "at least one that counts")
    }
    static func weightsOfOtherLosses(method: String) -> Problem {
        Problem(
            .data, "weights of samples have no clear meaning for this recipe's losses",
            at: Place(detail: ["weights"]), found: "method \(oneLine(method, limit: 40))",
            expected: "a method whose every loss is of one sample, without relation",
            hint: "cross-entropy, distillation, early-learning and mutual are")
    }
    static func needsSamples(_ key: String, kind: String) -> Problem {
        Problem(
            .data, "there are no samples that this could be about", at: Place(detail: [key]),
            found: "data of kind \(kind)")
    }
}
