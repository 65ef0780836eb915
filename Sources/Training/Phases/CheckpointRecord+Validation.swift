import Diagnostics

// What a record says is checked against its phase before any of it is used: a hash protects from
// accidents, and a record that somebody edited must not make arithmetic overflow either.

extension CheckpointRecord {
    /// Far above what any disk holds, and far below where sums overflow.
    private static let mostPieces = 1 << 40

    /// What the phase allows.
    struct Bounds {
        var spec: PhaseSpec
        var stepsPerEpoch: Int
        var learners: Int
        /// Training samples, each seen once per epoch; nil where the phase makes its own.
        var samples: Int?
    }

    /// - Parameter path: the checkpoint's folder.
    /// - Throws: if this is not a record that the phase can have written.
    func check(_ bounds: Bounds, _ path: String) throws(Problem) {
        let file = "\(path)/\(CheckpointStore.recordName)"
        guard key == bounds.spec.key else { throw .phaseChanged(file) }
        func require(_ isRight: Bool, _ what: @autoclosure () -> String) throws(Problem) {
            guard isRight else { throw .checkpointDamaged(file, what()) }
        }
        let epochs = bounds.spec.training.epochs
        try require(
            epoch >= 0 && epoch <= epochs, "epoch \(epoch) of \(epochs)")
        try require(
            stepInEpoch >= 0 && stepInEpoch <= (epoch == epochs ? 0 : bounds.stepsPerEpoch),
            "step \(stepInEpoch) of an epoch of \(bounds.stepsPerEpoch)")
        let expected = epoch * bounds.stepsPerEpoch + stepInEpoch
        try require(
            step == expected,
            "step \(step), where its epoch and step in the epoch make \(expected)")
        try require(seconds.isFinite && seconds >= 0, "\(seconds) seconds")
        let times = epochSeconds ?? []
        try require(
            times.count <= epoch && times.allSatisfy { $0.isFinite && $0 >= 0 },
            "the times of its epochs")
        try require(metricsBytes >= 0, "\(metricsBytes) bytes of metrics")
        try require(learners.count == bounds.learners, "it has \(learners.count) learners")
        let batch = bounds.spec.training.batch
        if let members {
            try require(
                bounds.samples.map { (1...$0).contains(members) } ?? false,
                "\(members) samples in its epoch")
        }
        let samples = members ?? bounds.samples
        let most = stepInEpoch * min(batch, samples ?? batch)
        for learner in learners {
            try require(
                learner.isPossible(
                    epoch: epoch,
                    samples: samples.map { min(most, $0)...min(most, $0) } ?? 0...most,
                    hasEMA: bounds.spec.training.ema > 0,
                    keepsBest: bounds.spec.traits.keepsBest),
                "the state of a learner")
        }
        try require((0...Self.mostPieces).contains(pieces), "\(pieces) pieces of work")
        let name = path.split(separator: "/").last.map(String.init) ?? path
        try require(
            name == CheckpointStore.name(position),
            "it is that of \(CheckpointStore.name(position))")
    }
}

extension LearnerRecord {
    /// - Parameters:
    ///   - samples: how many the steps of the epoch have seen.
    ///   - keepsBest: whether the weights of its best epoch are kept.
    fileprivate func isPossible(
        epoch: Int, samples: ClosedRange<Int>, hasEMA: Bool, keepsBest: Bool
    ) -> Bool {
        func isPossible(_ selection: Selection?, _ isKept: Bool) -> Bool {
            guard let selection else { return !isKept || epoch <= 0 }
            return isKept && selection.epoch >= 0 && selection.epoch < epoch
                && (0...1).contains(selection.validation.accuracy)
                && selection.validation.nll.isFinite
        }
        let counts = [sums.predicted, sums.hits, sums.cleanHits]
        return samples.contains(sums.samples)
            && counts.allSatisfy { $0 >= 0 && $0 <= sums.samples }
            && isPossible(selected, keepsBest) && isPossible(emaSelected, hasEMA)
    }
}
