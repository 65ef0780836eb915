import Diagnostics
import Foundation
import Mustache

/// The page templates, read once from the target's resources.
enum Templates {
    /// Escapes by Unicode scalar; Mustache's own escaping goes by character and lets a quote
    /// with a combining accent through.
    private struct ScalarMarkup: MustacheContentType {
        func escapeText(_ text: String) -> String { Markup.escape(text) }
    }

    private static let loaded: Result<(library: MustacheLibrary, css: String), Problem> = {
        MustacheContentTypes.register(ScalarMarkup(), named: "MARKUP")
        do {
            var library = MustacheLibrary()
            for name in ["page", "table", "figure", "gallery"] {
                try library.register(source("\(name).mustache"), named: name)
            }
            return .success((library, try source("page.css")))
        } catch let problem as Problem {
            return .failure(problem)
        } catch {
            return .failure(.template("templates", "\(error)"))
        }
    }()

    private static func source(_ name: String) throws(Problem) -> String {
        guard
            let file = Bundle.module.url(
                forResource: name, withExtension: nil, subdirectory: "templates"),
            let text = try? String(contentsOf: file, encoding: .utf8)
        else {
            throw .template(name, "cannot be read")
        }
        return text
    }

    static func render(_ view: PageView) throws(Problem) -> String {
        let (library, css) = try loaded.get()
        var view = view
        view.style = Theme.variables + Theme.figures + css
        guard let page = library.render(view, withTemplate: "page") else {
            throw .template("page.mustache", "is not there")
        }
        // Markup is escaped by the templates; control characters of names are no HTML at all.
        return PlainText.escaped(page, keepingLines: true)
    }
}
