import Neural
import Torch

/// The character-level convolutional network (Zhang, Zhao, LeCun 2015, arXiv 1509.01626) in the size
/// of the mutual-learning experiments: the small one of the paper on 300 characters instead of 1014,
/// with 256 units in the linear layers instead of 1024.
///
///     one-hot (70 × 300) – conv1 7, pool 3 – conv2 7, pool 3 – conv3 … conv6 3, pool 3 –
///     fc1 – dropout – fc2 – dropout – fc3
///
/// The alphabet is the paper's (see `alphabet`); letters from A to Z count as lower-case ones, every
/// other character and the padding as all zeros. The text is read from left to right (the paper:
/// backwards). Returned are logits: the official code puts a softmax behind the last layer and then
/// another one into the loss, which is not copied.
///
/// Weights N(0, 0.05), the paper's for this size and what its PyTorch versions use; at other widths
/// 0.05/√width, which keeps the size of the activations. Biases 0. The keys `conv1.0.weight`, …,
/// `fc3.bias` are those of the usual PyTorch versions, from memory.
public final class CharCNN: TokenClassifier {
    public struct Configuration: Sendable, Equatable {
        public var classes: Int
        /// Characters that are looked at, at least `CharCNN.minimumLength`.
        public var length: Int
        /// Channels of the convolutions and units of the linear layers.
        public var width: Int
        /// Behind `fc1` and `fc2`.
        public var dropout: Double

        public init(
            classes: Int, length: Int = CharCNN.length, width: Int = 256, dropout: Double = 0.5
        ) {
            self.classes = classes
            self.length = length
            self.width = width
            self.dropout = dropout
        }

        /// Positions that reach `fc1`: 7 of 300.
        public var positions: Int {
            let first = (length - 6) / 3
            let second = (first - 6) / 3
            return (second - 8) / 3
        }
    }

    /// Unless the recipe says otherwise.
    public static let length = 300
    /// The shortest that leaves a position for `fc1`.
    public static let minimumLength = 123

    /// 70 characters. The hyphen is in the paper's list twice; the second place is never set.
    public static let alphabet =
        #"abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'"/\|_@#$%^&*~`+-=<>()[]{}"# + "\n"

    /// The code point of each channel; −1, which nothing equals, at a repeated one.
    private static let codes: [Float] = {
        var seen: Set<UInt8> = []
        return alphabet.utf8.map { seen.insert($0).inserted ? Float($0) : -1 }
    }()

    public let configuration: Configuration
    public let conv1: Sequential
    public let conv2: Sequential
    public let conv3: Sequential
    public let conv4: Sequential
    public let conv5: Sequential
    public let conv6: Sequential
    public let fc1: Sequential
    public let fc2: Sequential
    public let fc3: Linear

    public init(_ configuration: Configuration, generator: Generator) {
        precondition(configuration.length >= CharCNN.minimumLength, "texts too short for CharCNN")
        self.configuration = configuration
        let width = configuration.width
        let initialisation = Initialisation.normal(
            std: 0.05 / (Double(width) / 256).squareRoot())
        func convolution(_ inputs: Int, kernel: Int, pools: Bool) -> Sequential {
            let layers: [any Module] = [
                Conv1d(
                    inputs, width, kernel: kernel, initialisation: initialisation,
                    generator: generator),
                Activation(.relu),
            ]
            return Sequential(pools ? layers + [MaxPool1d(3)] : layers)
        }
        func hidden(_ inputs: Int) -> Sequential {
            Sequential(
                Linear(inputs, width, initialisation: initialisation, generator: generator),
                Activation(.relu), Dropout(configuration.dropout))
        }
        conv1 = convolution(CharCNN.codes.count, kernel: 7, pools: true)
        conv2 = convolution(width, kernel: 7, pools: true)
        conv3 = convolution(width, kernel: 3, pools: false)
        conv4 = convolution(width, kernel: 3, pools: false)
        conv5 = convolution(width, kernel: 3, pools: false)
        conv6 = convolution(width, kernel: 3, pools: true)
        fc1 = hidden(width * configuration.positions)
        fc2 = hidden(width)
        fc3 = Linear(
            width, configuration.classes, initialisation: initialisation, generator: generator)
    }

    public var head: Linear { fc3 }

    /// Code points [N, 1, L], L ≥ `configuration.length`, to [N, width].
    public func features(_ x: Tensor, mode: Mode) -> Tensor {
        features(ofLetters: x.narrowed(2, from: 0, count: configuration.length), mode: mode)
    }

    /// The code points themselves.
    public func tokens(of x: Tensor) -> Tensor {
        x.narrowed(2, from: 0, count: configuration.length).squeezed(1).to(.int64)
    }

    public func features(ofTokens tokens: Tensor, mode: Mode) -> Tensor {
        features(ofLetters: tokens.unsqueezed(1).to(.float32), mode: mode)
    }

    public var tokenCount: Int? { configuration.length }

    /// Code points [N, 1, `configuration.length`] to [N, width].
    private func features(ofLetters x: Tensor, mode: Mode) -> Tensor {
        let letters = Self.oneHot(x)
        let maps = [conv1, conv2, conv3, conv4, conv5, conv6].reduce(letters) {
            $1($0, mode: mode)
        }
        return fc2(fc1(maps.flattened(from: 1), mode: mode), mode: mode)
    }

    /// Code points [N, 1, L] to [N, 70, L], 1 where the channel's character stands. One comparison
    /// with the alphabet: no table of indices, and nothing but the input of `conv1` is made.
    static func oneHot(_ x: Tensor) -> Tensor {
        let isCapital = x.greaterOrEqual(65).and(x.lessOrEqual(90))
        let alphabet = Tensor(codes, [1, codes.count, 1]).to(x.device)
        return (x + isCapital.to(.float32) * 32).equal(alphabet).to(.float32)
    }

    public func fresh(generator: Generator) -> CharCNN {
        CharCNN(configuration, generator: generator)
    }
}
