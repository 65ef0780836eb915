import Foundation
import Workers

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
            // The first stage does not see ξ_2: it is replayed on the points of ξ_1 alone.
            nodes = categories.map {
                .second($0, first: fields[0], beta: betas[0], resolution: resolution.factor)
            }
            replay()
            nodes = nodes.map { $0.times(spread: spread, resolution: resolution.factor) }
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
        // Logits and forces at the solution itself, for those who learn from them.
        if stage + 1 < stages { _ = averages(field) }
        fields.append(field)
        labelBeta = stage < betas.count ? betas[stage] : nil
        accuracy = rightShare(field)
    }

    /// P(sign u = s). Given the earlier ξ it is that of h on one side of D(½ − ỹ): for both losses
    /// ℓ'(ỹ, 0) = ½ − ỹ. So no point of ξ_t is needed.
    private func rightShare(_ field: Field) -> Double {
        var nodes = nodes
        if stage == 1 {
            // |∂h/∂ξ_1| at most, labels that jump aside, as |∂g_1/∂ζ_1| ≤ ¼/(1 + D/4) with
            // cross-entropy and less than twice that with the squared loss. A steep step would fall
            // between the points of the average.
            let (root, d) = (fields[0].root[0], fields[0].reaction)
            let force =
                abs(field.memory[0]) * 0.5
                + (betas[0].isFinite ? 0.5 * field.reaction * betas[0] : 0)
            let slope = abs(field.root[0]) + force * root / (1 + d / 4)
            if field.root[1] < 0.45 * slope { nodes = nodes.map { refined($0.category, field) } }
        }
        return nodes.reduce(0) { sum, own in
            let s = own.category.sign
            let margins = margins(own, field)
            var right = 0.0
            for (j, h) in margins.enumerated() {
                var mass = 0.0
                for i in j * own.inner..<(j + 1) * own.inner { mass += own.weight[i] }
                right += mass * Gaussian.tail(-s * h / field.root[stage])
            }
            return sum + own.category.weight * right
        }
    }

    /// h − D(½ − ỹ) without the last ξ's share, at every point of the earlier ones.
    private func margins(_ own: Nodes, _ field: Field) -> [Double] {
        stride(from: 0, to: own.count, by: own.inner).map { i in
            let y = own.labels.isEmpty ? own.category.label : own.labels[i]
            var h = own.category.sign * field.m + field.bias - field.reaction * (0.5 - y)
            for r in 0..<stage {
                h += field.root[r] * own.xi[r][i] + field.memory[r] * own.forces[r][i]
            }
            return h
        }
    }

    /// Points of ξ_1 that are dense around the places where the second stage's margin changes sign.
    private func refined(_ category: Category, _ field: Field) -> Nodes {
        let reach = Quadrature.reach
        func replayed(_ points: [Double], _ weight: [Double]) -> Nodes {
            var own = Nodes(category: category, weight: weight, xi: [points])
            var u = [Double](repeating: 0, count: points.count)
            var g = u
            _ = u.withUnsafeMutableBufferPointer { u in
                g.withUnsafeMutableBufferPointer { g in
                    sweep(own, fields[0], u.baseAddress!, g.baseAddress!)
                }
            }
            own.forces = [g]
            own.labels = u.map { pseudoLabel($0, betas[0], loss) }
            return own
        }
        let panels = Nodes.panels(category, first: fields[0], beta: betas[0])
        var edges = Set(panels)
        func refine(_ root: Double, slope: Double) {
            edges.insert(root)
            // So far ξ_2 moves the root.
            var distance = 3 * max(field.root[1] / max(abs(slope), 1e-300), 1e-9)
            while distance < 2 {
                edges.formUnion([root - distance, root + distance].filter { abs($0) < reach })
                distance *= 4
            }
        }
        for (low, high) in zip(panels, panels.dropFirst()) {
            // Strictly inside: a hard label jumps at the ends.
            let scan = (0...200).map { low + (high - low) * (Double($0) * 0.0049999998 + 2e-8) }
            let margins = margins(replayed(scan, scan), field)
            func slope(_ i: Int) -> Double {
                (margins[i] - margins[i - 1]) / (scan[i] - scan[i - 1])
            }
            if abs(margins[0]) < 10 * field.root[1] { refine(low, slope: slope(1)) }
            if abs(margins[200]) < 10 * field.root[1] { refine(high, slope: slope(200)) }
            for i in 1...200 where (margins[i] > 0) != (margins[i - 1] > 0) {
                refine(scan[i - 1] - margins[i - 1] / slope(i), slope: slope(i))
            }
        }
        let rule = Quadrature.normal(panels: edges.sorted()) { _ in
            Int((14 * resolution.factor).rounded(.up))
        }
        return replayed(rule.points, rule.weights)
    }
}
