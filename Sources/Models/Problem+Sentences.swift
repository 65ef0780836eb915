import Diagnostics
import Foundation

/// The sentences of the `Models` target. Tests pin them.
extension Problem {
    private static func at(_ key: String) -> Place { Place(detail: [key]) }

    static func unknownModel(_ name: String, known: [String]) -> Problem {
        Problem(
            .data, "unknown model", at: at("model.name"), found: quoted(name),
            hint: Suggestion.hint(for: name, among: known))
    }

    static func wideResNetShape(_ name: String) -> Problem {
        Problem(
            .data, "no such WideResNet", at: at("model.name"), found: quoted(name),
            expected: "wrn-d-k with a depth d = 6n + 4 from 10 to 100 and a factor k from 1 to 20")
    }

    static func optionNotOfModel(
        _ option: ModelSpec.Option, _ name: String, has options: [ModelSpec.Option]
    ) -> Problem {
        Problem(
            .data, "the model \(name) has no such option", at: at("model.\(option.rawValue)"),
            hint: options.isEmpty
                ? "it has no options"
                : "it has: " + options.map(\.rawValue).joined(separator: ", "))
    }

    static func optionOutOfRange(
        _ option: ModelSpec.Option, found: String, expected: String
    ) -> Problem {
        Problem(
            .data, "out of range", at: at("model.\(option.rawValue)"), found: found,
            expected: expected)
    }

    static func classCount(_ classes: Int) -> Problem {
        Problem(
            .data, "a classifier cannot be made for this number of classes", found: "\(classes)",
            expected: "2 to 100000")
    }

    static func sampleShape(_ shape: [Int]) -> Problem {
        Problem(
            .data, "samples of an unusable shape", found: oneLine("\(shape)"),
            expected: "sizes from 1 to 65536 and at most 268435456 values per sample")
    }

    static func notImages(_ shape: [Int], model: String) -> Problem {
        Problem(
            .data, "the model \(model) needs images", at: at("model.name"),
            found: "samples of shape \(oneLine("\(shape)"))",
            expected: "[channels, height, width]", hint: "mlp takes samples of any shape")
    }

    static func notText(_ shape: [Int], model: String) -> Problem {
        Problem(
            .data, "the model \(model) needs text", at: at("model.name"),
            found: "samples of shape \(oneLine("\(shape)"))", expected: "data of kind text")
    }

    static func text(_ shape: [Int], model: String) -> Problem {
        Problem(
            .data, "the model \(model) does not take text", at: at("model.name"),
            found: "samples of shape \(oneLine("\(shape)"))", hint: "fasttext and charcnn do")
    }

    static func textsTooShort(_ length: Int, model: String, least: Int) -> Problem {
        Problem(
            .data, "the texts are cut too short for the model \(model)", at: at("model.name"),
            found: "\(length) characters", expected: "at least \(least)",
            hint: "make data.length larger")
    }

    static func imagesTooSmall(_ shape: [Int], model: String, minimumSide: Int) -> Problem {
        Problem(
            .data, "the images are too small for the model \(model)", at: at("model.name"),
            found: "\(shape[1])x\(shape[2]) pixels",
            expected: "at least \(minimumSide)x\(minimumSide)")
    }

    static func tooManyWeights(_ weights: Double, of option: ModelSpec.Option) -> Problem {
        Problem(
            .data, "the network is too large", at: at("model.\(option.rawValue)"),
            found: String(format: "%.3g weights", weights), expected: "fewer than 1.07e+09",
            hint: option == .hidden ? "make the hidden layers smaller" : nil)
    }

    static func elementType(_ file: String, _ tensor: String, _ dtype: String) -> Problem {
        Problem(
            .data, "numbers of a type that networks do not use",
            at: Place(file: file, detail: ["tensor \(oneLine(tensor, limit: 80))"]), found: dtype,
            expected: "F32, F64, F16, BF16, I64, I32, I16, I8, U8 or BOOL")
    }

    private static func quoted(_ text: String) -> String { "\"\(oneLine(text, limit: 60))\"" }
}
