import Torch

/// The latest features of the encoder, first in, first out: what `EdgeLoss.queue` compares with.
///
/// Invariant: the `filled` first rows of `features` are normalised features; the next ones go to the
/// row after the latest, beginning anew at the end.
package final class FeatureQueue {
    /// [K, D]
    private let features: Tensor
    /// The row that is next written, and how many are filled: int64 [2].
    private let place: Tensor

    package init(size: Int, dimension: Int, device: Device) {
        features = .zeros([size, dimension], device: device)
        place = Tensor([0, 0], [2])
    }

    /// A copy of what is there, [≤ K, D]: the next `append` must not reach into a recorded product.
    package var content: Tensor {
        features.narrowed(0, from: 0, count: place.ints()[1]).cloned()
    }

    /// - Parameter rows: normalised [N, D]; of more than K the last K.
    package func append(_ rows: Tensor) {
        withoutGradient {
            let size = features.shape[0]
            let count = min(rows.shape[0], size)
            let rows = rows.narrowed(0, from: rows.shape[0] - count, count: count)
            let numbers = place.ints()
            let first = min(count, size - numbers[0])
            features.narrowed(0, from: numbers[0], count: first)
                .copy(from: rows.narrowed(0, from: 0, count: first))
            if first < count {
                features.narrowed(0, from: 0, count: count - first)
                    .copy(from: rows.narrowed(0, from: first, count: count - first))
            }
            place.copy(
                from: Tensor([(numbers[0] + count) % size, min(size, numbers[1] + count)], [2]))
        }
    }

    package var state: [(name: String, tensor: Tensor)] {
        [("relation.queue", features), ("relation.queue-place", place)]
    }
}
