import Diagnostics

extension LabelNoise {
    /// Above this a transition matrix alone would take more than 128 MiB.
    static let classLimit = 4096

    /// Checks the recipe against the data's classes without drawing anything (`--dry-run`).
    ///
    /// - Returns: warnings: what will work but is seldom meant.
    /// - Throws: a `Problem` at the key that is wrong (`noise.rate`).
    @discardableResult
    public func validate(classCount: Int, classNames: [String]? = nil) throws(Problem) -> [String] {
        guard kind != .clean else { return [] }
        try checkKeys()
        guard kind == .file || classCount >= 2 else { throw .oneClass(kind) }
        guard classCount <= Self.classLimit else { throw .tooManyClasses(classCount) }
        if let rate, !(0...1).contains(rate) { throw .noiseRate(rate) }
        if kind == .humanCIFAR10NWorst, classCount != 10 { throw .humanNoiseClasses(classCount) }
        if kind == .matrix { try checkMatrix(classCount) }
        let matrix = try intendedTransition(classCount: classCount, classNames: classNames)
        return warnings(matrix, classNames)
    }

    /// The keys a kind cannot do without and, `map` for 100 classes aside, the only ones it takes
    /// besides `kind` and `seed`.
    private var keys: [CodingKeys] {
        switch kind {
        case .clean, .humanCIFAR10NWorst: []
        case .symmetric, .symmetricInclusive, .pairflip, .instance, .instanceShared: [.rate]
        case .asymmetric, .asymmetricGlobal, .asymmetricInPlace: [.rate, .map]
        case .matrix: [.matrix]
        case .file: [.path]
        }
    }

    private func checkKeys() throws(Problem) {
        let present: [(CodingKeys, Bool)] = [
            (.rate, rate != nil), (.map, map != nil), (.matrix, matrix != nil),
            (.path, path != nil),
        ]
        for (key, isPresent) in present {
            if isPresent, !keys.contains(key) { throw .noiseKey(key.rawValue, unusedBy: kind) }
            // A missing map is told by `targets`, which knows whether there is a default.
            if !isPresent, keys.contains(key), key != .map {
                throw .noiseKey(key.rawValue, neededBy: kind)
            }
        }
    }

    private func checkMatrix(_ classCount: Int) throws(Problem) {
        let rows = matrix ?? []
        guard rows.count == classCount else { throw .noiseMatrixRows(rows.count, classCount) }
        for (a, row) in rows.enumerated() {
            guard row.count == classCount else {
                throw .noiseMatrixRow(a, row.count, classCount)
            }
            for (b, value) in row.enumerated() where !(value >= 0 && value.isFinite) {
                throw .noiseMatrixEntry(a, b, value)
            }
            let sum = row.reduce(0, +)
            guard abs(sum - 1) <= 1e-6 else { throw .noiseMatrixSum(a, sum) }
        }
    }

    private func warnings(_ matrix: [[Double]]?, _ classNames: [String]?) -> [String] {
        var warnings: [String] = []
        switch kind {
        case .asymmetricInPlace:
            warnings.append(
                "asymmetric-elr-inplace is a compatibility mode: labels change class by class in "
                    + "place, so some change back and the realised rate is lower than asked for")
        case .instanceShared:
            warnings.append(
                "instance-shared is a compatibility mode: one projection for all classes on raw "
                    + "inputs, so wrong labels pile up in one class")
        case .asymmetric where map == .cifar100Blocks,
            .asymmetricGlobal where map == .cifar100Blocks:
            warnings.append(
                "cifar100-blocks is a compatibility mode: blocks of five fine ids are not "
                    + "super-classes; cifar100-superclass uses the true ones")
        default: break
        }
        if let rate, needs != nil {
            let mean = Self.truncatedNormalMean(rate)
            if abs(mean - rate) > 0.005 {
                warnings.append(
                    "rate \(rate) is near the end of 0...1, where the per-sample rates are cut "
                        + "off: expect a realised rate of \(NoiseSummary.percent(mean))")
            }
        }
        if kind == .pairflip, let rate, rate > 0.45 {
            warnings.append(
                "pairflip above 0.45 leaves the clean label hardly more frequent than its "
                    + "neighbour; the literature stops at 0.45")
        } else if let matrix {
            let lost = matrix.indices.filter { a in
                matrix[a].indices.contains { $0 != a && matrix[a][$0] >= matrix[a][a] }
            }
            if let first = lost.first {
                let name = classNames.flatMap { first < $0.count ? $0[first] : nil } ?? "\(first)"
                warnings.append(
                    "for \(lost.count) of \(matrix.count) classes (first: "
                        + "\(Problem.oneLine(name, limit: 40))) a wrong label is at least as "
                        + "frequent as the clean one; no method can tell them apart by counting")
            }
        }
        return warnings
    }
}
