import Neural
import Torch

/// One step of the student with given mixing weights, computed without changing the student: the
/// validation loss after it, and the direction in which every loss of every sample should be weighted.
///
///     θ'(w) = θ − η s Σ_i Σ_k w_ik ∇_θ ℓ_k(i),   s = 1/B
///     M(w)  = (1/V) Σ_j CE( f_θ'(x_j), y_j )
///     ∂M/∂w_ik = −η s a_ik,   a_ik = ⟨∇_θ ℓ_k(i), ∇_θ M(θ')⟩
///
/// a_ik is the *alignment*: positive where the gradient of loss k on sample i points the way the
/// validation loss falls.
public protocol VirtualStep: AnyObject {
    /// B, the samples of the group.
    var sampleCount: Int { get }
    /// M at the student as it is.
    var currentLoss: Double { get }
    /// Fixes the mixing weights [B, K] of the calls that follow.
    func prepare(weights: Tensor)
    /// M after a step of learning rate η with the prepared weights. A second call with another rate
    /// is cheap.
    func loss(rate: Double) -> Double
    /// a [B, K] after the virtual step of rate η. Rate 0 takes the student as it is and needs no
    /// prepared weights.
    func alignments(rate: Double) -> Tensor
}

extension VirtualStep {
    /// ∂M/∂w [B, K] at mixing weights w [B, K], and M at the virtual step.
    public func gradient(weights: Tensor, rate: Double) -> (gradient: Tensor, loss: Double) {
        prepare(weights: weights)
        let loss = loss(rate: rate)
        return (alignments(rate: rate) * (-rate / Double(sampleCount)), loss)
    }

    /// The first-order variant: ∇M is taken at the student as it is, so that neither w nor a
    /// virtual step matters. Its relative error against `gradient(weights:rate:)` is O(η).
    public func firstOrderGradient(rate: Double) -> Tensor {
        alignments(rate: 0) * (-rate / Double(sampleCount))
    }
}

/// A group of B training samples, as the last layer sees it.
public struct MixingGroup {
    /// Penultimate features [B, D], float32 or float64, without gradient.
    public let features: Tensor
    /// ∂ℓ_k/∂z of each of the K losses, [B, C], not divided by B.
    public let gradients: [Tensor]

    /// Accepts bfloat16 as well, and converts it to float32.
    public init(features: Tensor, gradients: [Tensor]) {
        precondition(!gradients.isEmpty, "a mix has losses")
        self.features = lossPrecision(features)
        self.gradients = gradients.map(lossPrecision)
    }

    public var count: Int { features.shape[0] }
}

/// V validation samples, as the last layer sees them.
public struct MixingValidation {
    /// [V, D]
    public let features: Tensor
    /// [V, C], of the student as it is
    public let logits: Tensor
    /// [V], int64
    public let labels: Tensor

    public init(features: Tensor, logits: Logits, labels: Tensor) {
        self.features = lossPrecision(features)
        self.logits = lossPrecision(logits.tensor)
        self.labels = labels
    }

    /// The logits W h + b from the features, in float32 even if the caller runs bfloat16.
    ///
    /// - Parameters:
    ///   - weight: [C, D].
    ///   - bias: [C] or none.
    public init(features: Tensor, weight: Tensor, bias: Tensor?, labels: Tensor) {
        let own = lossPrecision(features)
        let logits = inFullPrecision(own.device) { linear(own, weight, bias).detached() }
        self.init(features: own, logits: Logits(logits), labels: labels)
    }
}

/// The virtual step of the last linear layer alone, exactly and in closed form.
///
/// For z = W h + b the gradient of a logit loss with respect to (W, b) is (g hᵀ, g), so that with
/// D_i = Σ_k w_ik g_ik and the kernel κ(h, h') = h·h' + 1 (without the 1 if there is no b)
///
///     z'_j  = z_j − η s Σ_i κ(h_j, h_i) D_i                validation logits at the virtual step
///     r_j   = (softmax(z'_j) − onehot(y_j)) / V
///     U_i   = Σ_j κ(h_i, h_j) r_j
///     a_ik  = ⟨g_ik, U_i⟩
///
/// No autograd, nothing of the size B·C·D. The sums over κ are done either as the four matrix
/// products of the classical form (Dᵀ H, H_V Aᵀ, Rᵀ H_V, H Gᵀ) or with the kernel matrix [V, B]
/// computed once for all repeats, whichever needs fewer multiplications; the numbers are the same
/// up to rounding. Neither W nor b enters except through the validation logits. Memory: the
/// validation logits and their move [V, C], some [B, C], and [C, D] or [V, B].
public final class LastLayerVirtualStep: VirtualStep {
    /// The way the sums over κ are computed.
    public enum Route: Sendable { case products, kernel }

    public let route: Route
    public let currentLoss: Double
    public var sampleCount: Int { group.count }

    private let group: MixingGroup
    private let validation: MixingValidation
    private let hasBias: Bool
    private let kernel: Tensor?
    private let chunks: [Range<Int>]
    private var move: Tensor?

    /// - Parameters:
    ///   - hasBias: whether the last layer has a b.
    ///   - repeats: how many virtual steps will be computed, for the choice of `route`.
    ///   - route: `nil` chooses the cheaper one.
    public convenience init(
        _ group: MixingGroup, _ validation: MixingValidation, hasBias: Bool = true,
        repeats: Int = 1, route: Route? = nil
    ) {
        // A megabyte of float32: it stays in the cache between softmax and product.
        self.init(
            group, validation, hasBias: hasBias, repeats: repeats, route: route,
            chunkSize: 1 << 18)
    }

    /// - Parameter chunkSize: values [rows, C] of the validation split to work on at a time.
    init(
        _ group: MixingGroup, _ validation: MixingValidation, hasBias: Bool, repeats: Int,
        route: Route?, chunkSize: Int
    ) {
        self.group = group
        self.validation = validation
        self.hasBias = hasBias
        let (b, v) = (group.count, validation.labels.count)
        let (c, d) = (validation.logits.shape[1], group.features.shape[1])
        // Two sums per virtual step and one more for the alignments at the student as it is.
        let sums = Double(2 * repeats + 1) * Double(c)
        let products = sums * Double(d) * Double(b + v)
        let kernelled = (sums + Double(d)) * Double(b) * Double(v)
        let cheaper = kernelled < products ? Route.kernel : .products
        let route = route ?? cheaper
        self.route = route
        kernel =
            route == .products
            ? nil
            : inFullPrecision(group.features.device) {
                let product = validation.features.matmul(group.features.transposed())
                return hasBias ? product + 1 : product
            }
        let rows = max(1, chunkSize / c)
        chunks = stride(from: 0, to: v, by: rows).map { $0..<min($0 + rows, v) }
        currentLoss = Self.loss(validation, chunks) {
            slice(validation.logits, $0)
        }
    }

    public func prepare(weights: Tensor) {
        let weights = weights.to(group.features.dtype)
        inFullPrecision(group.features.device) {
            var direction: Tensor?
            for (k, gradient) in group.gradients.enumerated() {
                let part = gradient * weights.narrowed(1, from: k, count: 1)  // [B, C]
                if let direction { direction.addInPlace(part) } else { direction = part }
            }
            move = moved(direction!)
        }
    }

    public func loss(rate: Double) -> Double {
        rate == 0
            ? currentLoss : Self.loss(validation, chunks) { self.logits(rate: rate, $0) }
    }

    private static func loss(
        _ validation: MixingValidation, _ chunks: [Range<Int>], _ logits: (Range<Int>) -> Tensor
    ) -> Double {
        inFullPrecision(validation.logits.device) {
            let sums = chunks.map { chunk in
                crossEntropy(Logits(logits(chunk)), labels: slice(validation.labels, chunk)).sum()
            }
            return Tensor.stacked(sums).to(.float64).sum().item / Double(validation.labels.count)
        }
    }

    public func alignments(rate: Double) -> Tensor {
        inFullPrecision(group.features.device) {
            let u = pulled { self.residual(rate: rate, $0) }  // [B, C]
            return .stacked(group.gradients.map { ($0 * u).sum(1) }, 1)
        }
    }

    /// z' [rows, C] of some validation samples.
    private func logits(rate: Double, _ chunk: Range<Int>) -> Tensor {
        let own = slice(validation.logits, chunk)
        if rate == 0 { return own }
        guard let move else { preconditionFailure("a virtual step needs prepared weights") }
        let shifted = own.cloned()
        shifted.addInPlace(slice(move, chunk), alpha: -rate / Double(sampleCount))
        return shifted
    }

    /// r [rows, C]
    private func residual(rate: Double, _ chunk: Range<Int>) -> Tensor {
        let p = logits(rate: rate, chunk).softmax()
        let hits = Tensor.full([chunk.count, 1], -1, dtype: p.dtype, device: p.device)
        let residual = p.scatterAdding(1, slice(validation.labels, chunk).unsqueezed(1), hits)
        residual.multiplyInPlace(1 / Double(validation.labels.count))
        return residual
    }

    /// Σ_i κ(h_j, h_i) D_i: [B, C] → [V, C].
    func moved(_ direction: Tensor) -> Tensor {
        if let kernel { return kernel.matmul(direction) }
        let step = direction.transposed().matmul(group.features)  // [C, D]
        let moved = validation.features.matmul(step.transposed())
        if hasBias { moved.addInPlace(direction.sum(0, keep: true)) }
        return moved
    }

    /// Σ_j κ(h_i, h_j) r_j: [V, C] → [B, C], the adjoint of `moved`.
    ///
    /// - Parameter residual: r of the validation samples in a range [rows, C].
    func pulled(_ residual: (Range<Int>) -> Tensor) -> Tensor {
        var sum: Tensor?
        var total: Tensor?
        for chunk in chunks {
            let part = residual(chunk)
            let (a, b) =
                kernel.map { (slice($0, chunk).transposed(), part) }  // → [B, C]
                ?? (part.transposed(), slice(validation.features, chunk))  // → [C, D]
            sum = sum?.addingProduct(a, b) ?? a.matmul(b)
            if kernel == nil, hasBias {
                let column = part.sum(0, keep: true)
                if let total { total.addInPlace(column) } else { total = column }
            }
        }
        guard kernel == nil else { return sum! }
        let pulled = group.features.matmul(sum!.transposed())
        if let total { pulled.addInPlace(total) }
        return pulled
    }
}

private func slice(_ tensor: Tensor, _ rows: Range<Int>) -> Tensor {
    tensor.narrowed(0, from: rows.lowerBound, count: rows.count)
}

/// float32 unless float64, and without history.
package func lossPrecision(_ tensor: Tensor) -> Tensor {
    let plain = tensor.detached()
    return plain.dtype == .float64 ? plain : plain.to(.float32)
}

/// Runs `body` unrecorded and outside any bfloat16 region.
func inFullPrecision<Result>(_ device: Device, _ body: () -> Result) -> Result {
    withoutGradient { withPrecision(.float32, on: device, body) }
}
