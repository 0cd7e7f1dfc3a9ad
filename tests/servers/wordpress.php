<?php
// Talks to a WordPress through its own code.
// Usage: wordpress.php ROOT install | fill | theme NAME | options | shut yes|no
// `options` reads {name: value} on standard input; `shut` sends whoever is not logged in to the login.
// `fill` reads {"articles": [{number, title, slug, at, text, comments: [{number, author, at, text, parent}]}]}
// on standard input; comments keep their numbers and dates (UTC, "YYYY-mm-dd HH:MM:SS").
[$_, $root, $command] = $argv;
$_SERVER += ['HTTP_HOST' => '127.0.0.1', 'REQUEST_METHOD' => 'GET', 'SERVER_PROTOCOL' => 'HTTP/1.1'];
if ($command === 'install') define('WP_INSTALLING', true);
require "$root/wp-load.php";

function install(): void {
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('Le magazine', 'admin', 'admin@example.invalid', true, '', wp_generate_password());
    $GLOBALS['wp_rewrite']->set_permalink_structure('/%year%/%monthnum%/%postname%/');
    $GLOBALS['wp_rewrite']->flush_rules();
    $options = [
        'timezone_string' => 'Europe/Paris', 'thread_comments' => 1, 'page_comments' => 1,
        'comments_per_page' => 5, 'default_comments_page' => 'newest', 'comment_order' => 'asc',
    ];
    foreach ($options as $name => $value) update_option($name, $value);
    wp_delete_post(1, true);
    wp_delete_post(2, true);
}

function fill(array $articles): void {
    global $wpdb;
    kses_remove_filters();
    wp_defer_comment_counting(true);
    $wpdb->query('START TRANSACTION');
    foreach ($articles as $article) {
        $post = wp_insert_post([
            'import_id' => $article['number'], 'post_title' => $article['title'],
            'post_name' => $article['slug'], 'post_content' => $article['text'],
            'post_status' => 'publish', 'post_author' => 1, 'comment_status' => 'open',
            'post_date_gmt' => $article['at'], 'post_date' => get_date_from_gmt($article['at']),
        ]);
        foreach ($article['comments'] as $comment) {
            $made = wp_insert_comment([
                'comment_post_ID' => $post, 'comment_author' => $comment['author'],
                'comment_author_email' => 'lecteur@example.invalid',
                'comment_content' => $comment['text'], 'comment_approved' => 1,
                'comment_parent' => $comment['parent'] ?? 0, 'comment_date_gmt' => $comment['at'],
                'comment_date' => get_date_from_gmt($comment['at']),
            ]);
            $wpdb->update($wpdb->comments, ['comment_ID' => $comment['number']], ['comment_ID' => $made]);
        }
        wp_update_comment_count_now($post);
    }
    $wpdb->query('COMMIT');
}

function shut(bool $closed): void {
    $plugin = WPMU_PLUGIN_DIR . '/members-only.php';
    if (!$closed) { unlink($plugin); return; }
    wp_mkdir_p(WPMU_PLUGIN_DIR);
    file_put_contents($plugin, <<<'PHP'
    <?php
    add_action('template_redirect', fn() => is_user_logged_in() || auth_redirect());
    add_filter('rest_authentication_errors', fn($said) => $said ?: (is_user_logged_in() ? $said
        : new WP_Error('rest_not_logged_in', 'Il faut un compte.', ['status' => 401])));
    PHP);
}

match ($command) {
    'install' => install(),
    'fill' => fill(json_decode(stream_get_contents(STDIN), true)['articles']),
    'theme' => switch_theme($argv[3]),
    'options' => array_map(
        fn($name, $value) => update_option($name, $value),
        array_keys($options = json_decode(stream_get_contents(STDIN), true)), $options
    ),
    'shut' => shut($argv[3] === 'yes'),
};
