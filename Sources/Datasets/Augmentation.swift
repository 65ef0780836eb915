import Diagnostics
import Randomness

/// Random crops and flips of images, off by default.
///
/// Crop: the image is framed by `padding` black pixels (value 0 before normalisation) on every
/// side and a window of the original size is cut at one of the (2·padding + 1)² offsets. Flip:
/// left and right are swapped with probability ½.
public struct Augmentation: Codable, Equatable, Sendable {
    /// Pixels of black frame for the random crop; 0: no crop. 4 is usual for 32 × 32, 2 for 28 × 28.
    public var padding: Int
    /// Random horizontal flip. Not for digits and other content where left matters.
    public var flip: Bool

    public static let none = Augmentation()

    public init(padding: Int = 0, flip: Bool = false) {
        self.padding = padding
        self.flip = flip
    }

    /// A key left out means off.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        padding = try fields.decodeIfPresent(Int.self, forKey: .padding) ?? 0
        flip = try fields.decodeIfPresent(Bool.self, forKey: .flip) ?? false
    }

    public var isOn: Bool { padding > 0 || flip }

    /// What is done to one sample: the window's offset, each in −padding...padding, and the flip.
    public struct Change: Equatable, Sendable {
        public var down: Int
        public var right: Int
        public var flipped: Bool

        public init(down: Int = 0, right: Int = 0, flipped: Bool = false) {
            self.down = down
            self.right = right
            self.flipped = flipped
        }
    }

    /// The draw for a sample (its index in the data set) in an epoch. `view` numbers several
    /// draws of the same sample. All three numbers are always drawn, so that switching the flip on
    /// does not move the crops.
    public func change(seed: UInt64, epoch: Int, sample: Int, view: Int = 0) -> Change {
        var draw = Draw(seed: seed, .augmentation, epoch: epoch, step: view, sample: sample)
        let down = draw.below(2 * padding + 1) - padding
        let right = draw.below(2 * padding + 1) - padding
        let flipped = draw.below(2) == 1
        return Change(down: down, right: right, flipped: flip && flipped)
    }

    /// Throws if it cannot be applied to such samples: a table, a negative padding, or one that
    /// could push the whole image out of the window.
    public func check(sampleShape: [Int], name: String) throws(Problem) {
        guard isOn || padding < 0 else { return }
        guard sampleShape.count == 3 else {
            throw .augmented(name, isText: sampleShape.count == 2)
        }
        let most = min(sampleShape[1], sampleShape[2]) - 1
        guard 0...most ~= padding else { throw .padding(padding, most: most) }
    }
}
