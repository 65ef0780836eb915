import Testing

@testable import Training

/// Keys and values of earlier versions are refused with what they are called now.
@Suite struct RenamedWordTests {
    private static let data = "data: {kind: embedded}\nmodel: {name: lenet5}\n"
    private static let none = """
        data: {kind: none, image-shape: [1, 28, 28], class-names: [a, b]}
        model: {name: lenet5}

        """

    static let keys: [(old: String, new: String, recipe: String)] = [
        (
            "deviation", "std",
            none
                + "method: {name: data-free, teacher: {file: t}, normalisation: {mean: [0], deviation: [1]}}"
        )
    ]

    @Test(arguments: keys) func oldKeys(_ old: String, _ new: String, _ recipe: String) {
        let message = failure {
            try RecipeFile(text: recipe, file: "r.yaml").decoded(Recipe.self)
        }
        #expect(
            message.hasSuffix(#": unknown key "\#(old)" (it is called \#(new) now)"#), "\(message)")
    }
}
