import Diagnostics
import Files

// Sentences about files that hold something else than a state dictionary.

extension FileKind {
    /// Whether the archive's directory has to decide: a zip archive may have any entry first.
    var canBePyTorch: Bool {
        if case .zip(let first) = self { return !first.isEmpty }
        return self == .pyTorch
    }
}

extension Problem {
    static func notPyTorch(_ file: String, _ kind: FileKind) -> Problem {
        Problem(
            .data, "not a file that torch.save wrote", at: .file(file), found: kind.description,
            hint: kind.hintForWeights)
    }
    /// - Parameter kind: nil if it is not known; the first bytes are shown then.
    static func notWeights(_ file: String, _ kind: FileKind?, _ bytes: [UInt8]) -> Problem {
        let start = bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return Problem(
            .data, "neither safetensors nor a file that torch.save wrote", at: .file(file),
            found: kind?.description ?? "a file that begins with " + start.joined(separator: " "),
            hint: kind?.hintForWeights)
    }
    static func noMap(_ file: String) -> Problem {
        Problem(.internal, "no map of names to try", at: .file(file))
    }
    static func wholeModule(_ file: String, _ name: String) -> Problem {
        Problem(
            .data, "a whole network, which is a program, and not its state dictionary",
            at: .file(file), found: oneLine(name, limit: 120),
            hint: "nothing of the file was executed; save it in Python with "
                + "torch.save(model.state_dict(), FILE)")
    }
}
