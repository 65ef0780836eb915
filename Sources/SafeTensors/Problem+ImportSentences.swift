import Diagnostics
import Files

// Sentences about files that are something else.

extension Problem {
    static func notSafeTensors(_ file: String, _ kind: FileKind) -> Problem {
        Problem(
            .data, "not a safetensors file", at: .file(file), found: kind.description,
            hint: kind.hintForWeights)
    }
}
