import Diagnostics
import Torch

/// Cross-entropy with the given labels: the baseline of every comparison.
///
///     L = −(1/N) Σ_i Σ_c q_ic log softmax(z_i)_c,   q_i = (1 − ε) onehot(y_i) + ε/C
///
/// With ε > 0, label smoothing (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the
/// Inception Architecture for Computer Vision", 2016, arXiv 1512.00567), which also softens the
/// harm of wrong labels (Lukasik et al. 2020, arXiv 2003.02819).
/// Enters: the given labels. Learnt: the student. No deviation.
public struct CrossEntropyOptions: Codable, Equatable, Sendable {
    /// ε in [0, 1). 0 is plain cross-entropy; .1 is usual; under heavy noise up to .5 can help.
    public var smoothing: Double

    public init(smoothing: Double = 0) { self.smoothing = smoothing }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        smoothing = try values.decodeIfPresent(Double.self, forKey: .smoothing) ?? 0
        guard (0..<1).contains(smoothing) else {
            throw Problem.outOfRange(
                "method.smoothing", found: "\(smoothing)", expected: "0 <= smoothing < 1")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable { case smoothing }
}

public final class CrossEntropy: Objective {
    public let options: CrossEntropyOptions

    public init(_ options: CrossEntropyOptions = .init()) { self.options = options }

    public func losses(_ output: StudentOutput, _ batch: LabelledBatch) -> Losses {
        Losses(
            .init(
                "cross-entropy",
                crossEntropy(output.logits, labels: batch.labels, smoothing: options.smoothing)))
    }
}
