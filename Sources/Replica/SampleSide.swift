import Foundation

/// Part B of the equations: one effective training sample, averaged over classes, flips and noise.
protocol SampleSide: AnyObject {
    /// Gets ready for the next stage. `spread` is about R_tt.
    func begin(stage: Int, spread: Double)
    /// The averages at a trial value of the field.
    func averages(_ field: Field) -> Averages
    /// Keeps the stage's field and forces for the stages to come.
    ///
    /// - Parameter norm: Q_tt.
    func finish(_ field: Field, norm: Double)
    /// The share of training samples whose class the stage's prediction on them gets right.
    var accuracy: Double { get }
    /// The β in use of the labels made by the finished stage.
    var labelBeta: Double? { get }
}

/// The general case: quadrature for the first two stages, a quasi-random sample after them.
final class SampledSide: SampleSide {
    private let categories: [Category]
    private let betas: [Double]
    private let loss: StageLoss
    private let resolution: Resolution
    private let workers: Int
    private let stages: Int

    private var fields: [Field] = []
    private var nodes: [Nodes] = []
    private var logits: [[Double]] = []
    private var forces: [[Double]] = []
    private var stage = 0
    private(set) var accuracy = Double.nan
    private(set) var labelBeta: Double?

    init(
        _ categories: [Category], schedule: Schedule, resolution: Resolution, workers: Int
    ) {
        self.categories = categories
        betas = schedule.betas
        loss = schedule.loss
        stages = schedule.stages
        self.resolution = resolution
        self.workers = workers
    }

    /// Points between which sums are cut, so that they do not depend on the number of workers.
    private static let chunk = 4096

    func begin(stage: Int, spread: Double) {
        self.stage = stage
        switch stage {
        case 0: nodes = categories.map { .first($0, resolution: resolution.factor) }
        case 1:
            nodes = categories.map {
                .second(
                    $0, first: fields[0], beta: betas[0], spread: spread,
                    resolution: resolution.factor)
            }
            replay()
        case 2:
            let sample = NormalSample.cached(
                dimensions: stages, log2: resolution.sampleLog2, seed: resolution.seed)
            nodes = categories.map { .sampled($0, sample) }
            replay()
        default: keep(stage - 1)
        }
        logits = nodes.map { Array(repeating: 0, count: $0.count) }
        forces = logits
    }

    /// Runs the finished stages on new points.
    private func replay() {
        for done in 0..<stage {
            logits = nodes.map { Array(repeating: 0, count: $0.count) }
            forces = logits
            _ = averages(fields[done])
            keep(done)
        }
    }

    /// Makes the forces of stage `done` part of the points' memory, and its logits their labels.
    private func keep(_ done: Int) {
        let beta = betas[done]
        for i in nodes.indices {
            nodes[i].forces.append(forces[i])
            nodes[i].labels = logits[i].map { pseudoLabel($0, beta, loss) }
        }
    }

    func averages(_ field: Field) -> Averages {
        var total = Averages(earlier: field.memory.count)
        for i in nodes.indices {
            let own = nodes[i]
            let part = logits[i].withUnsafeMutableBufferPointer { u in
                forces[i].withUnsafeMutableBufferPointer { g in
                    sweep(own, field, u.baseAddress!, g.baseAddress!)
                }
            }
            total.add(part, weight: own.category.weight, sign: own.category.sign)
        }
        return total
    }

    private func sweep(
        _ nodes: Nodes, _ field: Field, _ u: UnsafeMutablePointer<Double>,
        _ g: UnsafeMutablePointer<Double>
    ) -> Averages {
        let chunk = SampledSide.chunk
        let chunks = (nodes.count + chunk - 1) / chunk
        // Every chunk writes a stretch of its own.
        nonisolated(unsafe) let (u, g) = (u, g)
        let parts = Parallel.map(chunks, workers: workers) { [loss] i in
            let range = i * chunk..<min((i + 1) * chunk, nodes.count)
            return Kernel.sweep(nodes, field, loss: loss, range: range, u: u, g: g)
        }
        var total = Averages(earlier: field.memory.count)
        for part in parts { total.add(part, weight: 1, sign: 1) }
        return total
    }

    func finish(_ field: Field, norm: Double) {
        _ = averages(field)
        fields.append(field)
        labelBeta = stage < betas.count ? betas[stage] : nil
        // P(u > 0 given the earlier ξ) is that of h > D(½ − ỹ): no point of ξ_t is needed.
        var sum = 0.0
        for own in nodes {
            let s = own.category.sign
            var right = 0.0
            for i in 0..<own.count {
                let y = own.labels.isEmpty ? own.category.label : own.labels[i]
                // D(½ − ℓ'-free label): for both losses u = 0 at h = D ℓ'(ỹ, 0) = D(½ − ỹ).
                var h = s * field.m + field.bias - field.reaction * (0.5 - y)
                for r in 0..<stage {
                    h += field.root[r] * own.xi[r][i] + field.memory[r] * own.forces[r][i]
                }
                right += own.weight[i] * Gaussian.tail(-s * h / field.root[stage])
            }
            sum += own.category.weight * right
        }
        accuracy = sum
    }
}
