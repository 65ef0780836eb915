import Diagnostics
import Randomness

/// Random changes of the training samples, off by default: crops and flips of images, noise on the features of
/// tables, words left out of texts.
///
/// Crop: the image is framed by `padding` black pixels (value 0 before normalisation) on every
/// side and a window of the original size is cut at one of the (2·padding + 1)² offsets. Flip:
/// left and right are swapped with probability ½. Noise and words left out: `SampleVersion.noisy` and
/// `.shortened`.
public struct Augmentation: Codable, Equatable, Sendable {
    /// Pixels of black frame for the random crop; 0: no crop. 4 is usual for 32 × 32, 2 for 28 × 28.
    public var padding: Int
    /// Random horizontal flip. Not for digits and other content where left matters.
    public var flip: Bool
    /// Tables: standard deviation of normal noise on every normalised feature, 0 or more. Features have standard
    /// deviation 1: .1 to .5 is usual.
    public var noise: Double
    /// Probability that a feature of a table becomes 0, its mean, or that a word of a text is left out, 0 to
    /// below 1.
    public var drop: Double

    public static let none = Augmentation()

    public init(padding: Int = 0, flip: Bool = false, noise: Double = 0, drop: Double = 0) {
        self.padding = padding
        self.flip = flip
        self.noise = noise
        self.drop = drop
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case padding, flip, noise, drop }

    /// A key left out means off.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        padding = try fields.decodeIfPresent(Int.self, forKey: .padding) ?? 0
        flip = try fields.decodeIfPresent(Bool.self, forKey: .flip) ?? false
        noise = try fields.decodeIfPresent(Double.self, forKey: .noise) ?? 0
        drop = try fields.decodeIfPresent(Double.self, forKey: .drop) ?? 0
    }

    /// What only tables and texts have is left out where it is off, so that the keys of phases stay.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(padding, forKey: .padding)
        try fields.encode(flip, forKey: .flip)
        if noise != 0 { try fields.encode(noise, forKey: .noise) }
        if drop != 0 { try fields.encode(drop, forKey: .drop) }
    }

    public var isOn: Bool { changesImages || noise > 0 || drop > 0 }

    var changesImages: Bool { padding > 0 || flip }

    /// What is done to a row of a table or to a text.
    func version(ofTexts isText: Bool) -> SampleVersion {
        isText ? .shortened(drop: drop) : .noisy(std: noise, drop: drop)
    }

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

    /// Throws if it cannot be applied to such samples: crops of a table, noise on images, a number out of its
    /// range, or a padding that could push the whole image out of the window.
    public func check(sampleShape: [Int], name: String) throws(Problem) {
        guard noise >= 0, noise.isFinite else {
            throw .viewRange("noise", found: "\(noise)", expected: "0 or more")
        }
        guard (0..<1).contains(drop) else {
            throw .viewRange("drop", found: "\(drop)", expected: "0 to below 1")
        }
        if changesImages || padding < 0 {
            guard sampleShape.count == 3 else {
                throw .augmented(name, isText: sampleShape.count == 2)
            }
            let most = min(sampleShape[1], sampleShape[2]) - 1
            guard 0...most ~= padding else { throw .padding(padding, most: most) }
        }
        if noise > 0 || drop > 0 {
            guard sampleShape.count != 3 else { throw .disturbedImages(name) }
            guard noise == 0 || sampleShape.count == 1 else { throw .noisyTexts(name) }
        }
    }
}
