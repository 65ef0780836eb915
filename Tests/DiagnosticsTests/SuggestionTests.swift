import Testing

@testable import Diagnostics

struct SuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0),
        ("kitten", "sitting", 3),  // two substitutions, one insertion
        ("seed", "sede", 1),  // one swap of neighbours
        ("ca", "abc", 3),  // optimal string alignment; unrestricted Damerau would say 2
        ("flaw", "lawn", 2), ("a", "b", 1),
    ])
    func distances(a: String, b: String, distance: Int) {
        #expect(Suggestion.distance(a, b) == distance)
        #expect(Suggestion.distance(b, a) == distance)
    }

    @Test func theNearestIsSuggested() {
        let keys = ["seed", "steps", "epochs", "learning_rate", "weight_decay"]
        #expect(Suggestion.nearest(to: "seeds", among: keys) == "seed")
        #expect(Suggestion.nearest(to: "sede", among: keys) == "seed")
        #expect(Suggestion.nearest(to: "EPOCHS", among: keys) == "epochs")
        #expect(Suggestion.nearest(to: "learnig-rate", among: keys) == "learning_rate")
        #expect(Suggestion.nearest(to: "weightdecay", among: keys) == "weight_decay")
        #expect(Suggestion.nearest(to: "batch", among: keys) == nil)
        #expect(Suggestion.nearest(to: "seed", among: []) == nil)
        // Six letters may differ in two, not in three.
        #expect(Suggestion.nearest(to: "epxxhs", among: keys) == "epochs")
        #expect(Suggestion.nearest(to: "exxxhs", among: keys) == nil)
    }

    @Test func tiesGoToTheEarlier() {
        #expect(Suggestion.nearest(to: "cat", among: ["bat", "rat"]) == "bat")
        #expect(Suggestion.nearest(to: "cat", among: ["rat", "bat"]) == "rat")
        #expect(Suggestion.nearest(to: "cat", among: ["bat", "cat"]) == "cat")
    }

    /// A wrong guess is worse than none: one letter, and another number of the same name.
    @Test func nothingIsGuessed() {
        #expect(Suggestion.nearest(to: "x", among: ["y", "xy", "a"]) == nil)
        #expect(Suggestion.nearest(to: "xy", among: ["y", "x", "xz"]) == nil)
        #expect(Suggestion.nearest(to: "lr", among: ["rate", "l", "r", "lambda"]) == nil)
        let networks = ["resnet20", "resnet56", "resnet18", "vgg8", "mlp"]
        #expect(Suggestion.nearest(to: "resnet50", among: networks) == nil)
        #expect(
            Suggestion.hint(for: "resnet50", among: networks)
                == "one of: resnet20, resnet56, resnet18")
        #expect(Suggestion.hint(for: "ResNet-18", among: networks) == "did you mean \"resnet18\"?")
        #expect(Suggestion.hint(for: "resnet_18", among: networks) == "did you mean \"resnet18\"?")
    }

    @Test func abbreviations() {
        #expect(Suggestion.nearest(to: "eval", among: ["evaluate", "train"]) == "evaluate")
        #expect(Suggestion.nearest(to: "eval", among: ["evaluate", "evaluation"]) == nil)
        #expect(Suggestion.nearest(to: "tr", among: ["train"]) == nil)
        #expect(Suggestion.nearest(to: "trian", among: ["evaluate", "train"]) == "train")
    }

    @Test func hintsAreOneLine() {
        #expect(Suggestion.hint(for: "cax", among: ["ca\u{1b}x"]).contains("\u{1b}") == false)
        #expect(Suggestion.hint(for: "zzz", among: ["a\nb"]).contains("\n") == false)
    }

    @Test func hints() {
        #expect(Suggestion.hint(for: "sed", among: ["seed", "steps"]) == "did you mean \"seed\"?")
        #expect(Suggestion.hint(for: "batch", among: ["seed", "steps"]) == "one of: seed, steps")
    }

    /// A third of a long word's length is more than the whole of any key.
    @Test func longWordsAreNearNothing() {
        let long = String(repeating: "x", count: 300)
        #expect(Suggestion.nearest(to: long, among: ["seed"]) == nil)
        let marks = String(repeating: "\u{301}\u{323}", count: 1_000_000)
        let began = ContinuousClock.now
        #expect(Suggestion.nearest(to: marks, among: ["seed", "steps"]) == nil)
        #expect(ContinuousClock.now - began < .seconds(5))
    }

    /// A list that no line can hold is cut at a word, and says how many words there are.
    @Test func longListsAreCut() {
        let words = (10..<80).map { "weight-of-\($0)" }
        let hint = Suggestion.hint(for: "q", among: words)
        #expect(hint.hasPrefix("one of: weight-of-10, weight-of-11, "))
        #expect(hint.hasSuffix(", weight-of-23, … (70 in all)") && hint.count < 240)
        let few = Array(words.prefix(14))
        #expect(Suggestion.hint(for: "q", among: few) == "one of: " + few.joined(separator: ", "))
    }
}
